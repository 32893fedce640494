# The service as an image: node itself is process 1, so signals arrive where they are heard.
#
#   docker build -t stellar-insights .
#
# Any base will do that has Node 20.19 or newer, with npm for the first stage. From Node 22 on nothing is compiled, since the SQLite driver
# brings its binaries along.
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package runs scripts of its own here. The one that would have to, the driver for Node 20, is compiled from its source below.
RUN npm ci --ignore-scripts
RUN if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 22 ]; then \
      apt-get update && apt-get install -y --no-install-recommends g++ make python3 && rm -rf /var/lib/apt/lists/* && \
      npm_config_build_from_source=true npm_config_nodedir="$(dirname "$(dirname "$(command -v node)")")" \
        npm rebuild better-sqlite3; \
    fi
COPY . .
RUN npm run build:bin && node deploy/docker/assemble.mjs /app

FROM ${BASE_IMAGE}
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="stellar-insights" \
      org.opencontainers.image.description="Stellar network analytics that stops without losing anything" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# `docker stop` kills after 10 s unless it is told otherwise, so that is what an image must keep to by itself.
# Whoever allows more says so with both keys.
ENV NODE_ENV=production \
    DATABASE_URL=sqlite:/data/insights.db \
    SHUTDOWN_TIMEOUT=8 \
    TERMINATION_GRACE_PERIOD=10
WORKDIR /app
RUN mkdir /data && chown 10001:10001 /data
COPY --from=build /app /app
# A number, so that orchestrators can see that it is not root. All that it may write to is /data.
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=75s --retries=3 \
  CMD ["node", "/app/dist/bin/stellar-insights.mjs", "health"]
ENTRYPOINT ["node", "/app/dist/bin/stellar-insights.mjs"]
CMD ["serve"]
