// What a page says and does about errors. Apart from the manager, so that who does it in another way does not load it.
import { SessionError } from "./errors.ts";

/** The languages that Sallyport speaks. */
export type Language = "en" | "es" | "vi";

/** In the order of {@link LANGUAGES}. The server's own texts come in `detail`. */
const LANGUAGES: readonly Language[] = ["en", "es", "vi"];
type Texts = readonly [en: string, es: string, vi: string];

const OF_THE_CLIENT: Readonly<Record<string, Texts>> = {
  network_error: [
    "No connection to the server; check your network",
    "No hay conexión con el servidor; compruebe su red",
    "Không có kết nối tới máy chủ; hãy kiểm tra mạng",
  ],
  timeout: [
    "The server did not answer in time; try again later",
    "El servidor no respondió a tiempo; inténtelo de nuevo más tarde",
    "Máy chủ không phản hồi kịp thời; vui lòng thử lại sau",
  ],
  unexpected_answer: [
    "The server's answer was not as expected; try again later",
    "La respuesta del servidor no fue la esperada; inténtelo de nuevo más tarde",
    "Phản hồi của máy chủ không như mong đợi; vui lòng thử lại sau",
  ],
  not_authenticated: ["You are not logged in", "No ha iniciado sesión", "Bạn chưa đăng nhập"],
  session_idle: [
    "Paused because nobody is there; it goes on when you do something",
    "En pausa por inactividad; continuará cuando haga algo",
    "Tạm dừng vì không có hoạt động; sẽ tiếp tục khi bạn thao tác",
  ],
};

const OF_ENDS: Readonly<Record<string, Texts>> = {
  logout: ["You have logged out", "Ha cerrado la sesión", "Bạn đã đăng xuất"],
  inactivity: [
    "Session expired due to inactivity",
    "La sesión ha expirado por inactividad",
    "Phiên đăng nhập đã hết hạn do không hoạt động",
  ],
  lifetime: [
    "The session has reached its lifetime; log in again",
    "La sesión ha alcanzado su duración máxima; inicie sesión de nuevo",
    "Phiên đăng nhập đã đạt thời hạn tối đa; hãy đăng nhập lại",
  ],
  evicted: [
    "The session has ended because you logged in on too many devices",
    "La sesión ha terminado porque inició sesión en demasiados dispositivos",
    "Phiên đăng nhập đã kết thúc vì bạn đăng nhập trên quá nhiều thiết bị",
  ],
  admin: [
    "An administrator has ended the session",
    "Un administrador ha cerrado la sesión",
    "Quản trị viên đã kết thúc phiên đăng nhập",
  ],
  reuse: [
    "The session has ended because its token was used twice; if that was not you, change your password",
    "La sesión ha terminado porque su token se usó dos veces; si no fue usted, cambie la contraseña",
    "Phiên đăng nhập đã kết thúc vì token được dùng hai lần; nếu không phải bạn, hãy đổi mật khẩu",
  ],
  password: [
    "The password has been changed; log in again",
    "La contraseña ha cambiado; inicie sesión de nuevo",
    "Mật khẩu đã được thay đổi; hãy đăng nhập lại",
  ],
  disabled: ["The account has been disabled", "La cuenta ha sido desactivada", "Tài khoản đã bị vô hiệu hóa"],
  external: [
    "The external system has ended the session; log in there again",
    "El sistema externo ha cerrado la sesión; inicie sesión allí de nuevo",
    "Hệ thống bên ngoài đã kết thúc phiên; hãy đăng nhập lại tại đó",
  ],
};

/** The first of the browser's languages that Sallyport speaks. */
function ownLanguage(): Language {
  const { languages = [] } =
    (globalThis as { navigator?: { languages?: readonly string[] } }).navigator ?? {};
  const named = languages.map((name) => name.slice(0, 2).toLowerCase() as Language);
  return named.find((name) => LANGUAGES.includes(name)) ?? "en";
}

/**
 * A text for people. How a session ended and what kept the client from the server are told in the given language, by
 * default the browser's; everything else as the server told it.
 */
export function messageOf(error: unknown, language: Language = ownLanguage()): string {
  if (!(error instanceof SessionError)) return error instanceof Error ? error.message : String(error);
  const { code, reason, detail } = error;
  const texts = (reason && OF_ENDS[reason]) || OF_THE_CLIENT[code];
  return texts?.[LANGUAGES.indexOf(language)] ?? detail;
}

/** What {@link SessionErrorHandler} may be told to do in another way. */
export interface ErrorActions {
  /** `location.assign` by default. */
  goTo?: (url: string) => void;
  /** `alert` by default. */
  alert?: (text: string) => void;
  /** `/login` by default; `?message=…` is added. */
  loginUrl?: string;
  language?: Language;
}

/** Which message the login page gets. */
const ENDED: Readonly<Record<string, string>> = {
  session_inactivity_timeout: "session_expired",
  session_revoked_or_invalid: "session_revoked",
  refresh_token_reused: "session_revoked",
  access_token_blacklisted: "token_revoked",
};

interface Page {
  location?: { assign(url: string): void };
  alert?: (text: string) => void;
}

/** Does with errors what the earlier client did: leads to the login page when a session has ended, else says what is wrong. */
export class SessionErrorHandler {
  /** Gives whether it has done anything. Errors that are not about the session are left to the caller. */
  static handleError(
    error: unknown,
    manager: { logout(): Promise<void> },
    { goTo, alert, loginUrl = "/login", language }: ErrorActions = {},
  ): boolean {
    const page = globalThis as Page;
    const code = String((error as { code?: unknown } | null)?.code);
    const message = Object.hasOwn(ENDED, code) ? ENDED[code] : undefined;
    if (message) {
      // The manager has forgotten its tokens already; who has others forgets them now.
      manager.logout().catch(() => {});
      const url = `${loginUrl}${loginUrl.includes("?") ? "&" : "?"}message=${message}`;
      if (goTo) goTo(url);
      else page.location?.assign(url);
      return true;
    }
    if (code !== "session_limit_exceeded") return false;
    const text = messageOf(error, language);
    if (alert) alert(text);
    else page.alert?.(text);
    return true;
  }
}
