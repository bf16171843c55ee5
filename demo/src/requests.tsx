// Requests with the session's token. Fifty at once show that one refresh is enough for all.
import { useSession } from "@sallyport/client/react";
import { useState } from "react";
import { told } from "./login.tsx";

export function Requests({ url }: { url: string }) {
  const { apiRequest } = useSession();
  const [outcome, setOutcome] = useState("");

  const send = async (count: number, headers: Record<string, string> = {}) => {
    setOutcome("…");
    const one = async () => {
      try {
        return String((await apiRequest(url, { headers })).status);
      } catch (cause) {
        return told(cause);
      }
    };
    const answers = await Promise.all(Array.from({ length: count }, one));
    const tally = Map.groupBy(answers, (answer) => answer);
    setOutcome([...tally].map(([answer, all]) => `${all.length} × ${answer}`).join(", "));
  };

  return (
    <section aria-labelledby="requests">
      <h2 id="requests">Requests</h2>
      <div className="row">
        <button type="button" onClick={() => void send(1)}>
          Send one
        </button>
        <button type="button" onClick={() => void send(50)}>
          Send fifty at once
        </button>
        <button type="button" onClick={() => void send(1, { "X-Session-Passive": "1" })}>
          Send one that is no activity
        </button>
      </div>
      <output>{outcome}</output>
    </section>
  );
}
