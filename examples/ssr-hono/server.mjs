// node examples/ssr-hono/server.mjs, beside `npm start`. Then http://localhost:3000, with a user of .dev/credentials.json.
import { serve } from "@hono/node-server";
import { application } from "./app.mjs";

const {
  PORT = "3000",
  SALLYPORT_URL = "http://127.0.0.1:8787",
  ORIGIN = `http://localhost:${PORT}`,
} = process.env;

const app = application({ sallyportUrl: SALLYPORT_URL, origin: ORIGIN });
serve({ fetch: app.fetch, port: Number(PORT) }, ({ port }) => {
  console.log(`The application is at ${ORIGIN} (port ${port}), Sallyport at ${SALLYPORT_URL}.`);
});
