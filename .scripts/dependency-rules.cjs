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
    ...["http", "cache", "redis", "lease", "telemetry"].map((name) =>
      only(name, ["lifecycle"], "domain-free parts know the lifecycle and nothing else")
    ),
    only("realtime", ["lifecycle", "http"], "WebSockets come through the draining server's upgrade path"),
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
