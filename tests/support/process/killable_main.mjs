// Runs the bundle in a process of its own, so that a test can kill it. Says the address on its first line.
// The settings are in SALLYPORT_TEST as JSON: { bindings, persist }.
import { startDist } from "../../../scripts/lib/miniflare.mjs";

const server = await startDist(JSON.parse(process.env.SALLYPORT_TEST ?? "{}"));
// A cron expression runs that Cron Trigger, scheduled at a full hour: all that it looks after is looked at.
process.on("message", async (cron) => {
  const { outcome } = await (await server.getWorker()).scheduled({ cron, scheduledTime: new Date(0) });
  process.send(outcome);
});
console.log(`ready ${await server.ready}`);
