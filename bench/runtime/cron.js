// Sallyport with a way to send it a Cron Trigger: a bare workerd has no clock that does.
import worker from "./entry.js";

export * from "./entry.js";

export default {
  async fetch(request, env, ctx) {
    const cron = request.headers.get("x-bench-cron");
    if (cron === null) return worker.fetch(request, env, ctx);
    await worker.scheduled({ cron, scheduledTime: Date.now() }, env, ctx);
    return new Response("done");
  },
};
