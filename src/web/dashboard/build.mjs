// Builds the dashboard: app/ into dist/, which the binary embeds.
//
// usage: node build.mjs            one build, minified, with .gz beside each file; dist/sizes.txt says what a first load costs
//        node build.mjs --serve [PORT] [DAEMON]
//                                  serves the pages while they are being written, rebuilt at every change; everything
//                                  else is asked of the daemon (default 8090 and http://127.0.0.1:8080)
import * as esbuild from "esbuild";
import { createServer, request } from "node:http";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const serving = process.argv[2] === "--serve";

const options = {
  absWorkingDir: here,
  entryPoints: { app: "app/main.tsx" },
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome111", "firefox113", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  minify: !serving,
  sourcemap: serving ? "inline" : false,
  legalComments: "eof",
  metafile: true,
  logLevel: "warning",
  define: { "process.env.NODE_ENV": serving ? '"development"' : '"production"' },
};

// The page that begins everything: it names the files of this build.
async function page(metafile) {
  const names = Object.keys(metafile.outputs).map((name) => name.replace(/^dist/, ""));
  const entry = (kind) => names.find((name) => new RegExp(`/app-[A-Z0-9]+\\.${kind}$`).test(name));
  const template = await readFile(join(here, "app/index.html"), "utf8");
  // What the first script imports is asked for with it, not once it has been read.
  const script = entry("js");
  const ahead = [...beginning(metafile, `dist${script}`)].filter((name) => name !== `dist${script}` && name.endsWith(".js")).map((name) => `<link rel="modulepreload" href="${name.replace(/^dist/, "")}">\n`);
  return template.replace("{script}", script).replace("{style}", entry("css")).replace("{ahead}", ahead.join(""));
}

/// A file and all that it imports at once.
function beginning(metafile, name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const used of metafile.outputs[name]?.imports ?? []) if (used.kind === "import-statement") beginning(metafile, used.path, found);
  return found;
}

async function build() {
  await rm(dist, { recursive: true, force: true });
  const { metafile } = await esbuild.build(options);
  await writeFile(join(dist, "index.html"), await page(metafile));
  const first = new Set(["dist/index.html"]);
  for (const name of Object.keys(metafile.outputs)) if (/\/app-[A-Z0-9]+\./.test(name)) beginning(metafile, name, first);
  const lines = [];
  let sum = 0;
  for (const folder of ["", "assets/"]) {
    for (const file of (await readdir(join(dist, folder))).sort()) {
      if (!extname(file)) continue;
      const bytes = await readFile(join(dist, folder, file));
      const packed = gzipSync(bytes, { level: 9 });
      await writeFile(join(dist, folder, `${file}.gz`), packed);
      const begins = first.has(`dist/${folder}${file}`);
      if (begins) sum += packed.length;
      lines.push(`${begins ? "first" : "later"}\t${bytes.length}\t${packed.length}\t${folder}${file}`);
    }
  }
  lines.push(`first load, packed: ${sum} bytes`);
  await writeFile(join(dist, "sizes.txt"), `${lines.join("\n")}\n`);
  console.log(lines.at(-1));
}

async function serve(port, daemon) {
  const target = new URL(daemon);
  let html = "";
  const context = await esbuild.context({
    ...options,
    plugins: [
      {
        name: "page",
        setup: (build) =>
          build.onEnd(async (result) => {
            if (result.metafile) html = await page(result.metafile);
          }),
      },
    ],
  });
  await context.watch();
  const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
  createServer(async (incoming, answer) => {
    const path = new URL(incoming.url, "http://x").pathname;
    if (path.startsWith("/assets/")) {
      const bytes = await readFile(join(dist, path)).catch(() => null);
      answer.writeHead(bytes ? 200 : 404, { "content-type": types[extname(path)] ?? "application/octet-stream" });
      return answer.end(bytes ?? "");
    }
    const asked = /^\/(api|o|hooks|metrics|healthz|readyz|openapi\.json|docs)(\/|$)/.test(path) || incoming.method !== "GET";
    if (!asked) {
      answer.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      return answer.end(html);
    }
    const outgoing = request(
      { host: target.hostname, port: target.port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (reply) => {
        answer.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answer);
      },
    );
    outgoing.on("error", () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
    // What the browser gives up, an upload that is paused, ends at the daemon too.
    answer.on("close", () => answer.writableFinished || outgoing.destroy());
    incoming.pipe(outgoing);
  }).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port} in front of ${daemon}`));
}

await mkdir(dist, { recursive: true });
if (serving) await serve(Number(process.argv[3] ?? 8090), process.argv[4] ?? "http://127.0.0.1:8080");
else await build();
