// The page of a failed step. It is HTML of somebody else, so it is looked at and never part of this page: as text, or in a frame
// that has no scripts, no origin and no network.
import { useEffect, useState } from "preact/hooks";
import { Refusal, refusalOf } from "../api/call.ts";
import * as ask from "../api/paths.ts";
import type { PortalPage } from "../api/types.ts";
import { bareOf, textOf } from "../logic/page.ts";
import { Curl } from "../ui/action.tsx";
import { useConsole } from "../ui/context.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Choice, Facts, Problem, When } from "../ui/parts.tsx";

type As = "text" | "source" | "page";

export function FailedPage({ login, step, close }: { login: string; step: string; close(): void }) {
  const { t, conn } = useConsole();
  const [page, setPage] = useState<PortalPage | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [as, setAs] = useState<As>("text");
  const request = ask.portal.page(login);
  useEffect(() => {
    conn.call<PortalPage>(request).then(setPage, (error: unknown) => setRefusal(refusalOf(error)));
  }, [login]);
  return (
    <Dialog title={t.pageOf(page?.step ?? step)} close={close} wide>
      {refusal && refusal.status === 404 ? (
        <p class="empty">{t.pageGone}</p>
      ) : (
        refusal && <Problem refusal={refusal} />
      )}
      {!page && !refusal && <p class="faint reading">{t.loading}</p>}
      {page && (
        <>
          <Facts
            of={[
              [t.at, <When at={page.at} ago />],
              [t.outcome, <code class="not-ok">{page.code}</code>],
              [t.lookedFor, page.looked_for],
              [t.address, <code>{page.address}</code>],
              ["HTTP", page.status ?? "–"],
            ]}
          />
          <div class="row spread">
            <Choice<As>
              label={t.pageAs}
              value={as}
              of={
                [
                  ["text", t.asText],
                  ["source", t.asSource],
                  ["page", t.asPage],
                ] as const
              }
              pick={setAs}
            />
            <span class="faint">{t.pageNote}</span>
          </div>
          {as === "page" ? (
            <iframe
              class="foreign"
              sandbox=""
              referrerpolicy="no-referrer"
              srcdoc={bareOf(page.page)}
              title={t.pageOf(page.step)}
            />
          ) : (
            <pre class="foreign" tabIndex={0}>
              {as === "text" ? textOf(page.page) : page.page}
            </pre>
          )}
        </>
      )}
      <Curl request={request} label={t.showPage} />
      <div class="buttons">
        <button type="button" onClick={close}>
          {t.close}
        </button>
      </div>
    </Dialog>
  );
}
