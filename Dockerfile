# Hive on Debian 13 with Node 24, without npm, without root.
#
#   docker build --tag hive .                      the server
#   docker build --tag hive-chat --target chat .   the back end and page of the distributed chat, for deploy/compose/compose.yaml
#
# What it expects of its environment: docs/deployment.md.

FROM node:24-trixie-slim AS node

# What the server needs at run time, with the socket library's binary for this platform alone.
FROM node AS packages
WORKDIR /opt/hive
COPY package.json package-lock.json ./
COPY scripts/prune-sockets.mjs scripts/
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --no-audit --no-fund && \
    node scripts/prune-sockets.mjs

FROM node AS build
WORKDIR /opt/hive
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.mjs

FROM python:3.13-slim-trixie AS chat
WORKDIR /opt/hive
COPY examples examples
COPY --from=build /opt/hive/node_modules/socket.io-client/dist node_modules/socket.io-client/dist
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8081
USER 10001:10001
ENTRYPOINT ["python3", "examples/distributed-chat/backend/backend.py"]

FROM debian:trixie-slim
COPY --from=node /usr/local/bin/node /usr/local/bin/node
RUN groupadd --gid 10001 hive && \
    useradd --uid 10001 --gid hive --home-dir /opt/hive --no-create-home --shell /usr/sbin/nologin hive
WORKDIR /opt/hive
COPY package.json LICENSE ./
COPY config config
COPY --from=packages /opt/hive/node_modules node_modules
COPY --from=build /opt/hive/dist dist
COPY deploy/container/hive.json /etc/hive/hive.json
# The symbolic link is the command; running it here shows that everything it imports is there.
RUN ln -s /opt/hive/dist/bin/hive.js /usr/local/bin/hive && hive --version

# For `hive status` and the like inside; the rest is what a container does differently: no log files, JSON on stderr, probes.
ENV NODE_ENV=production \
    HIVE_CONFIG=/etc/hive/hive.json \
    HIVE__LOG__DIR=null \
    HIVE__LOG__FORMAT=json \
    HIVE__MONITOR__HEALTH_PORT=1236
# Clients, API, monitor, health; between nodes: distribution and EPMD.
EXPOSE 8080 1235 1234 1236 9100 4369
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.HIVE__MONITOR__HEALTH_PORT + '/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["hive"]
CMD ["run", "/etc/hive/hive.json"]
