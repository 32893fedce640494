/** The manifests say what Kubernetes understands and what the service has. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parse } from "yaml"
import * as Dockerfile from "./support/Dockerfile.js"
import * as KubernetesSchema from "./support/KubernetesSchema.js"
import * as Shipped from "./support/Shipped.js"

const kustomization = "deploy/kubernetes/kustomization.yaml"
const manifests = Shipped.manifests()
const { at } = Shipped
const manifest = (kind: string) => manifests.find((it) => it.manifest.kind === kind)!.manifest

describe("Kubernetes", () => {
  it.each(manifests)("$file: $manifest.kind is valid and has no unknown field", ({ manifest }) => {
    assert.deepStrictEqual(KubernetesSchema.problems(manifest), [])
  })

  it("the check sees wrong values, missing ones, unknown fields at any depth, and unknown kinds", () => {
    const service = manifest("Service")
    const port = { name: "http", port: 80, targetPort: "http" }
    const problems = (change: object) => KubernetesSchema.problems({ ...service, ...change })
    const ofPort = (one: object) => problems({ spec: { ports: [one] } })
    assert.match(ofPort({ ...port, port: "http" })[0]!, /ports\/0\/port/)
    assert.match(ofPort({ name: "http" })[0]!, /port/)
    assert.deepStrictEqual(ofPort({ ...port, targetPorts: 1 }), ["/spec/ports/0/targetPorts is not a field"])
    assert.deepStrictEqual(problems({ specs: {} }), ["/specs is not a field"])
    assert.lengthOf(problems({ kind: "Servise" }), 1)
    assert.lengthOf(problems({ apiVersion: "v2" }), 1)
    assert.deepStrictEqual(ofPort(port), [])
  })

  it("the kustomization lists every file that there is, and has only fields of one", () => {
    const read = parse(readFileSync(kustomization, "utf8")) as Record<string, unknown>
    assert.deepStrictEqual(Object.keys(read).toSorted(), [
      "apiVersion",
      "images",
      "kind",
      "labels",
      "resources"
    ])
    assert.sameMembers(
      (read["resources"] as ReadonlyArray<string>).map((file) => join(dirname(kustomization), file)),
      [...new Set(manifests.map(({ file }) => file))]
    )
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string }
    assert.deepStrictEqual(read["images"], [{ name: at(container, "image"), newTag: version }])
  })

  const deployment = manifest("Deployment")
  const pod = at(deployment, "spec.template.spec")
  const container = at(pod, "containers.0")

  it("one replica, replaced and never doubled", () => {
    assert.strictEqual(at(deployment, "spec.replicas"), 1)
    assert.deepStrictEqual(at(deployment, "spec.strategy"), { type: "Recreate" })
    // With minAvailable it could never be evicted.
    assert.strictEqual(at(manifest("PodDisruptionBudget"), "spec.maxUnavailable"), 1)
  })

  it("whatever selects the pod finds it, and what it names is there", () => {
    const labels = at(deployment, "spec.template.metadata.labels")
    assert.deepStrictEqual(at(deployment, "spec.selector.matchLabels"), labels)
    assert.deepStrictEqual(at(manifest("Service"), "spec.selector"), labels)
    assert.deepStrictEqual(at(manifest("PodDisruptionBudget"), "spec.selector.matchLabels"), labels)
    assert.deepStrictEqual(at(manifest("NetworkPolicy"), "spec.podSelector.matchLabels"), labels)
    assert.strictEqual(
      at(pod, "volumes.0.persistentVolumeClaim.claimName"),
      manifest("PersistentVolumeClaim").metadata.name
    )
    const ports = at(container, "ports") as ReadonlyArray<{ name: string; containerPort: number }>
    const port = (name: unknown) => String(ports.find((it) => it.name === name)?.containerPort)
    const env = Shipped.all().find(({ where }) => where.includes("kubernetes"))!.env
    assert.strictEqual(port("http"), env["SERVER_PORT"])
    assert.strictEqual(port("health"), env["HEALTH_PORT"])
    assert.strictEqual(at(manifest("Service"), "spec.ports.0.targetPort"), "http")
    assert.strictEqual(
      at(deployment, "spec.template.metadata.annotations")!["prometheus.io/port" as never],
      env["HEALTH_PORT"]
    )
    const mounts = at(container, "volumeMounts") as ReadonlyArray<{ mountPath: string }>
    assert.sameMembers(
      mounts.map(({ mountPath }) => mountPath),
      ["/data", "/tmp"]
    )
  })

  it("probes ask what there is, on the port that answers until the end", () => {
    const routes = readFileSync("src/http/Health.ts", "utf8")
    for (const [name, path] of [
      ["startupProbe", "/health/startup"],
      ["livenessProbe", "/health/live"],
      ["readinessProbe", "/health/ready"]
    ] as const) {
      assert.deepStrictEqual(at(container, `${name}.httpGet`), { path, port: "health" })
      assert.include(routes, `"${path}"`)
    }
  })

  it("probes have the patience of the service: its start is waited for, and the announcement is long enough to be seen", () => {
    const number = (path: string) => Number(at(container, path))
    // STARTUP_TIMEOUT is at its default.
    assert.isAbove(number("startupProbe.periodSeconds") * number("startupProbe.failureThreshold"), 60)
    const env = Shipped.all().find(({ where }) => where.includes("kubernetes"))!.env
    const seenWithin =
      number("readinessProbe.periodSeconds") * number("readinessProbe.failureThreshold") +
      number("readinessProbe.timeoutSeconds")
    assert.isAtMost(seenWithin, Number(env["SHUTDOWN_ANNOUNCE_DELAY"]))
  })

  it("the pod may do nothing that it need not, as the image's own user", () => {
    const [user, group] = Dockerfile.stages(Dockerfile.text())
      .at(-1)!
      .find(({ keyword }) => keyword === "USER")!
      .text.split(":")
      .map(Number)
    assert.deepStrictEqual(at(pod, "securityContext"), {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: group,
      fsGroup: group,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" }
    })
    assert.deepStrictEqual(at(container, "securityContext"), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] }
    })
    assert.isFalse(at(pod, "automountServiceAccountToken"))
  })

  it("no secret is in a file", () => {
    for (const { manifest } of manifests) assert.notStrictEqual(manifest.kind, "Secret")
    assert.notInclude(Object.keys(manifest("ConfigMap").data ?? {}), "ADMIN_KEYS")
  })
})
