# One image for all roles: the command line, the server, workers, functions. For amd64 and arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 -t reelmill .

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY web/package.json web/
# The base image has Node; nothing of what is installed runs a script.
RUN npm ci --ignore-scripts --omit=dev --omit=optional --workspaces=false --no-audit --no-fund

FROM node:24-bookworm-slim AS built
WORKDIR /app
COPY package.json package-lock.json ./
COPY web/package.json web/
RUN npm ci --ignore-scripts --no-audit --no-fund
# The dashboard's own settings of the compiler extend these.
COPY tsconfig.json ./
COPY src src
COPY web web
RUN npm run build --workspace web
COPY scripts/bundle-lambda.ts scripts/
RUN node scripts/bundle-lambda.ts

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*
# The one place that it may write to; everything else may be read-only.
RUN groupadd --gid 1001 reelmill \
  && useradd --uid 1001 --gid 1001 --no-create-home --shell /usr/sbin/nologin reelmill \
  && install -d -o 1001 -g 1001 /work /app/.compile-cache
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY --from=built /app/web/dist web/dist
COPY --from=built /app/dist/apps/lambda dist/apps/lambda
COPY deploy/bin /usr/local/bin
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.compile-cache REELMILL_DATA=/work TMPDIR=/work UV_THREADPOOL_SIZE=32
# Compiled forms are kept by user; Lambda, which has one of its own, starts without them.
USER 1001:1001
# Sources are compiled once, here; the cache is only read afterwards.
RUN reelmill --version && reelmill up --help && reelmill worker --help
RUN node --input-type=module -e 'import { globSync } from "node:fs"; for (const path of globSync("dist/apps/lambda/[!mr]*.js")) await import(`/app/${path}`)'
VOLUME /work
EXPOSE 8080
ENTRYPOINT ["reelmill"]
CMD ["up", "--no-watch"]
