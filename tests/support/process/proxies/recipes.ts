// The recipes of docs/proxy.md: taken as they stand there, with this run's addresses and files put in, and what each proxy has
// to be told besides, which is not about Sallyport.
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "../documents.ts";

export type Name = "nginx" | "Apache" | "HAProxy" | "Caddy" | "Traefik" | "Envoy";

/** What a recipe's names stand for here. */
export interface Places {
  /** For this proxy alone. */
  folder: string;
  listen: number;
  /** For a proxy that asks by way of itself. */
  hop: number;
  edge: number;
  app: number;
  /** The file of the authority that is trusted. */
  trusted: string;
  /** Where the proxy was unpacked. */
  unpacked: string;
}

export interface Prepared {
  args: string[];
  env?: Record<string, string>;
}

interface Recipe {
  /** Its blocks on the page, by their marks. */
  files: string[];
  /** What is replaced by what; all of it has to be there. */
  here: (places: Places) => [string, string][];
  /** Where the question stands, which takes `?role=`. */
  question: [string, string];
  prepare: (places: Places) => Prepared;
  /** What it answers when Sallyport is down, answers 503, or never answers; docs/proxy.md says so, too. */
  outages: { down: number; unavailable: number; silent: number };
}

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const isRoot = process.getuid?.() === 0;

/** `auth.example.com` by a name that leads here, where one setting has address and name in it. */
const byName = ({ edge }: Places) => `https://localhost:${edge}`;
const address = (port: number) => `127.0.0.1:${port}`;

const write = (folder: string, name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

export const RECIPES: Record<Name, Recipe> = {
  nginx: {
    files: ["nginx.conf"],
    here: ({ listen, edge, app, trusted }) => [
      ["listen 8080;", `listen ${address(listen)};`],
      ["server auth.example.com:443;", `server ${address(edge)};`],
      ["http://app:3000", `http://${address(app)}`],
      [CERTIFICATES, trusted],
    ],
    question: ["sallyport/auth/verify;", "sallyport/auth/verify?role=editor;"],
    outages: { down: 500, unavailable: 500, silent: 500 },
    prepare: ({ folder }) => {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (kind) => `${kind}_temp_path ${folder}/${kind};`,
      );
      const main = [
        "daemon off;",
        ...(isRoot ? ["user root;"] : []),
        "worker_processes 1;",
        `pid ${folder}/pid;`,
        "error_log stderr;",
        "events {}",
        `http { access_log off; ${temporary.join(" ")} include ${folder}/nginx.conf; }`,
      ];
      return { args: ["-p", folder, "-e", "stderr", "-c", write(folder, "main.conf", main.join("\n"))] };
    },
  },

  Apache: {
    files: ["apache.conf", "apache.lua"],
    here: ({ folder, listen, hop, app, trusted, ...places }) => [
      ["Listen 8080", `Listen ${address(listen)}`],
      ["*:8080", address(listen)],
      ["127.0.0.1:9001", address(hop)],
      ["https://auth.example.com", byName({ folder, listen, hop, app, trusted, ...places })],
      ["http://app:3000", `http://${address(app)}`],
      ["/etc/apache2/sallyport.lua", `${folder}/apache.lua`],
      [CERTIFICATES, trusted],
    ],
    question: ['9001/auth/verify"', '9001/auth/verify?role=editor"'],
    outages: { down: 503, unavailable: 503, silent: 503 },
    prepare: ({ folder, unpacked }) => {
      const modules = join(unpacked, "usr/lib/apache2/modules");
      const names = ["mpm_event", "authz_core", "socache_shmcb", "proxy", "proxy_http", "ssl", "lua"];
      const main = [
        `ServerRoot ${folder}`,
        "ServerName localhost",
        `PidFile ${folder}/pid`,
        `DefaultRuntimeDir ${folder}`,
        `Mutex file:${folder} default`,
        `ErrorLog ${folder}/error.log`,
        ...names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
        // It does not work as root.
        ...(isRoot ? ["User #65534", "Group #65534"] : []),
        `Include ${folder}/apache.conf`,
      ];
      const lua = luaOf(unpacked, folder);
      const args = ["-D", "FOREGROUND", "-d", folder, "-f", write(folder, "main.conf", main.join("\n"))];
      return { args, env: { LUA_PATH: `${lua}/?.lua;;`, LUA_CPATH: `${lua}/?.so;;` } };
    },
  },

  HAProxy: {
    files: ["haproxy.cfg", "haproxy.lua"],
    here: ({ folder, listen, hop, edge, app, trusted }) => [
      ["bind :8080", `bind ${address(listen)}`],
      ["127.0.0.1:9001", address(hop)],
      ["auth.example.com:443", address(edge)],
      ["server app app:3000", `server app ${address(app)}`],
      ["/etc/haproxy/sallyport.lua", `${folder}/haproxy.lua`],
      [CERTIFICATES, trusted],
    ],
    question: ['9001/auth/verify"', '9001/auth/verify?role=editor"'],
    outages: { down: 503, unavailable: 503, silent: 503 },
    prepare: ({ folder }) => ({ args: ["-db", "-f", `${folder}/haproxy.cfg`] }),
  },

  Caddy: {
    files: ["Caddyfile"],
    here: ({ listen, app, ...places }) => [
      ["app.example.com {", `http://app.example.com:${listen} {`],
      ["https://auth.example.com", byName({ listen, app, ...places })],
      ["app:3000", address(app)],
    ],
    question: ["uri /auth/verify", "uri /auth/verify?role=editor"],
    outages: { down: 502, unavailable: 503, silent: 504 },
    prepare: ({ folder, trusted }) => {
      const main = [
        "{",
        "\tadmin off",
        "\tauto_https off",
        "\tdefault_bind 127.0.0.1",
        "}",
        `import ${folder}/Caddyfile`,
      ];
      const file = write(folder, "main.Caddyfile", main.join("\n"));
      const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, SSL_CERT_FILE: trusted };
      return { args: ["run", "--config", file, "--adapter", "caddyfile"], env };
    },
  },

  Traefik: {
    files: ["dynamic.yaml"],
    here: ({ app, ...places }) => [
      ["https://auth.example.com", byName({ app, ...places })],
      ["http://app:3000", `http://${address(app)}`],
    ],
    question: ["/auth/verify", "/auth/verify?role=editor"],
    outages: { down: 500, unavailable: 503, silent: 500 },
    prepare: ({ folder, listen, trusted }) => ({
      args: [
        `--entryPoints.web.address=${address(listen)}`,
        `--providers.file.filename=${folder}/dynamic.yaml`,
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
      ],
      env: { SSL_CERT_FILE: trusted },
    }),
  },

  Envoy: {
    files: ["envoy.yaml"],
    here: ({ listen, hop, edge, app, trusted }) => [
      ["{ address: 0.0.0.0, port_value: 8080 }", `{ address: 127.0.0.1, port_value: ${listen} }`],
      ["port_value: 9001", `port_value: ${hop}`],
      ["127.0.0.1:9001", address(hop)],
      ["{ address: auth.example.com, port_value: 443 }", `{ address: 127.0.0.1, port_value: ${edge} }`],
      ["{ address: app, port_value: 3000 }", `{ address: 127.0.0.1, port_value: ${app} }`],
      [CERTIFICATES, trusted],
    ],
    question: ["/auth/verify?path=", "/auth/verify?role=editor&path="],
    outages: { down: 503, unavailable: 503, silent: 503 },
    prepare: ({ folder }) => ({
      args: ["-c", `${folder}/envoy.yaml`, "--use-dynamic-base-id", "--concurrency", "1", "-l", "warn"],
    }),
  },
};

/** Its workers run as another user, who may not see where it was unpacked. */
function luaOf(unpacked: string, folder: string): string {
  const lua = join(folder, "lua");
  mkdirSync(lua);
  const libraries = join(unpacked, "usr/lib");
  const native = existsSync(libraries) ? readdirSync(libraries).map((name) => join(libraries, name)) : [];
  for (const root of [join(unpacked, "usr/share"), ...native]) {
    const from = join(root, "lua/5.3");
    if (existsSync(from)) cpSync(from, lua, { recursive: true, dereference: true });
  }
  return lua;
}

/** Writes a recipe's files, changed by `change`. */
export function writeRecipe(name: Name, page: Page, places: Places, change: (text: string) => string): void {
  const { files, here } = RECIPES[name];
  const texts = files.map((file) => {
    const block = page.blocks.find(({ mark }) => mark === file);
    if (!block) throw new Error(`${page.name} has no block \`${file}\`.`);
    return block.text;
  });
  const replaced = here(places);
  for (const [from] of replaced)
    if (!texts.some((text) => text.includes(from)))
      throw new Error(`${page.name}: the recipe for ${name} has no \`${from}\`.`);
  files.forEach((file, at) => {
    const text = replaced.reduce((text, [from, to]) => text.replaceAll(from, to), change(texts[at] ?? ""));
    write(places.folder, file, `${text}\n`);
  });
}
