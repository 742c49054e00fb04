// nginx twice: as a static upstream, and as the reverse proxy that a gateway is measured against.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerBody, type Mode, streamEvents } from "./payload";
import type { Start } from "./process";

const common = (folder: string, http: string): string => `
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  client_body_buffer_size 64k;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${http}
}
`;

function start(folder: string, http: string): Start {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, common(folder, http));
  return { command: ["nginx", "-p", folder, "-e", join(folder, "error.log"), "-c", file] };
}

/** An upstream that answers every POST with the benchmark's bytes. A file, since \`return\` takes 4 KB at most. */
export function nginxMock(folder: string, port: number, mode: Mode): Start {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "answer.sse"), streamEvents().join(""));
  const answer =
    mode === "sse"
      ? `root ${folder}; default_type text/event-stream; open_file_cache max=4; error_page 405 =200 /answer.sse; try_files /answer.sse =404;`
      : `default_type application/json; return 200 '${answerBody()}';`;
  return start(folder, `  server {\n    listen 127.0.0.1:${port} backlog=4096;\n    location / { ${answer} }\n  }`);
}

/** A reverse proxy that keeps its upstream connections and does not buffer. */
export function nginxProxy(folder: string, port: number, upstreamPort: number): Start {
  return start(
    folder,
    `  upstream backend { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }`,
  );
}
