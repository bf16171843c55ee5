// Makes the records of all sessions six minutes older than they are.
const SIX_MINUTES = 6 * 60 * 1000;

export default {
  async fetch(_, { KV }) {
    const { keys } = await KV.list({ prefix: "session:" });
    for (const { name } of keys) {
      const record = await KV.get(name, "json");
      await KV.put(name, JSON.stringify({ ...record, written_at: Date.now() - SIX_MINUTES }));
    }
    return new Response(String(keys.length));
  },
};
