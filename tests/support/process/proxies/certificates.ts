// Certificates of this run.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { programOf } from "../../../../scripts/lib/proxies.mjs";

/** Files. */
export interface Certificate {
  key: string;
  cert: string;
}

export interface Certificates {
  /** What the proxies trust. */
  authority: string;
  /** Of Sallyport's names. */
  ours: Certificate;
  /** Of another name, by the same authority. */
  anothers: Certificate;
  /** Of Sallyport's names, by an authority that nobody trusts. */
  forged: Certificate;
}

const CONFIG = `[req]
distinguished_name = subject
x509_extensions = authority
[subject]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
`;

export function certificates(folder: string): Certificates {
  const openssl = programOf("OpenSSL");
  if (!openssl) throw new Error("There is no openssl.");
  const run = (...args: string[]) =>
    execFileSync(openssl.path, args, { env: { ...process.env, ...openssl.env }, stdio: "pipe" });
  const written = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  // Whatever the system's own says is not asked for.
  const config = ["-config", written("openssl.cnf", CONFIG)];
  const keyIn = (file: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", file];
  const files = (name: string) => ({ key: join(folder, `${name}.key`), cert: join(folder, `${name}.pem`) });

  const authority = (name: string): Certificate => {
    const made = files(name);
    run("req", "-x509", ...config, ...keyIn(made.key), "-subj", "/CN=Tests", "-days", "2", "-out", made.cert);
    return made;
  };
  let serial = 1;
  const signed = (name: string, by: Certificate, alternatives: string): Certificate => {
    const [made, asked] = [files(name), join(folder, `${name}.csr`)];
    run("req", "-new", ...config, ...keyIn(made.key), "-subj", `/CN=${name}`, "-out", asked);
    const extensions = written(`${name}.ext`, `subjectAltName = ${alternatives}\n`);
    const issuer = ["-CA", by.cert, "-CAkey", by.key, "-set_serial", String(++serial)];
    run("x509", "-req", "-in", asked, ...issuer, "-days", "2", "-extfile", extensions, "-out", made.cert);
    return made;
  };

  const NAMES = "DNS:auth.example.com, DNS:localhost";
  const [trusted, unknown] = [authority("trusted"), authority("unknown")];
  return {
    authority: trusted.cert,
    ours: signed("ours", trusted, NAMES),
    anothers: signed("anothers", trusted, "DNS:other.example.com"),
    forged: signed("forged", unknown, NAMES),
  };
}
