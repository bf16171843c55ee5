// A Worker that asks nobody and lets everybody in: what examples/ add to it is what they cost.
export default {
  fetch: () =>
    Response.json(
      { id: "7", name: "bench7", session: "0".repeat(64), roles: ["user"] },
      { headers: { "cache-control": "no-store" } },
    ),
};
