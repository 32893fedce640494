// Which folder may import which (docs/architecture.md). A test runs dependency-cruiser with these rules.
const src = (folders) => `^src/(${folders.join("|")})/`
const only = (from, allowed, comment) => ({
  name: `${from}-imports-only-${allowed.join("-") || "itself"}`,
  comment,
  severity: "error",
  from: { path: `^src/${from}/` },
  to: { path: "^src/", pathNot: src([from, ...allowed]) }
})

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      comment: "types may know each other; code that runs may not",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    only("lifecycle", [], "the library stands on its own"),
    only("net", [], "addresses, for whoever meets them"),
    ...["redis", "lease", "telemetry"].map((name) =>
      only(name, ["lifecycle"], "domain-free parts know the lifecycle and nothing else")
    ),
    only("http", ["lifecycle", "net"], "requests come from addresses"),
    only("cache", ["lifecycle", "redis"], "what processes share of it is in Redis"),
    {
      name: "the-hub-needs-no-redis",
      comment: "who serves WebSockets without Redis does not load it",
      severity: "error",
      from: { path: "^src/realtime/", pathNot: "^src/realtime/redis/" },
      to: { path: "^src/realtime/redis/" }
    },
    {
      ...only(
        "realtime",
        ["lifecycle", "http"],
        "WebSockets come through the draining server's upgrade path"
      ),
      from: { path: "^src/realtime/", pathNot: "^src/realtime/redis/" }
    },
    only("realtime/redis", ["lifecycle", "realtime", "redis"], "sessions that are kept in Redis"),
    {
      name: "client-needs-nothing",
      comment: "pages load it as it is: of the protocol it knows the types, of all else nothing",
      severity: "error",
      from: { path: "^src/client/" },
      to: { pathNot: "^src/(client/|realtime/Protocol\\.ts$)" }
    },
    {
      name: "client-knows-only-types-of-the-protocol",
      severity: "error",
      from: { path: "^src/client/" },
      to: { path: "^src/realtime/", dependencyTypesNot: ["type-only"] }
    },
    only("webhooks", ["lifecycle", "net"], "signing and delivery know nothing of what is delivered"),
    {
      name: "stellar-is-apart",
      comment: "the network's formats know none of the service",
      severity: "error",
      from: { path: "^src/stellar/" },
      to: { path: "^src/", pathNot: src(["stellar"]) }
    },
    {
      name: "drill-is-apart",
      severity: "error",
      from: { path: "^src/drill/" },
      to: { path: "^src/", pathNot: src(["drill"]) }
    },
    {
      name: "product-imports-no-composition",
      severity: "error",
      from: { path: src(["insights", "webhooks"]) },
      to: { path: "^src/(App\\.ts|main\\.ts|cli/|drill/)" }
    },
    {
      name: "nothing-imports-App-or-main",
      comment: "they compose; only the command line and the entry stand above them",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(cli/|main\\.ts)" },
      to: { path: "^src/(App|main)\\.ts$" }
    },
    {
      name: "no-dev-dependencies-in-src",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"]
    }
  }
}
