/**
 * Everything that a drill can be told, on the command line or under the same name in a file.
 *
 * One list for both, so that neither knows what the other does not.
 *
 * @module
 */
import * as Targets from "../../drill/Targets.js"

/** How a setting is written. */
export type Form =
  /** One value. */
  | "one"
  /** As often as wanted; an array in a file. */
  | "many"
  /** `NAME=value`, as often as wanted; a table in a file. */
  | "pairs"
  /** Given or not; true or false in a file. */
  | "switch"

/** Headings of the help, in order. */
export const groups = ["The service", "Its paths", "The drill", "The report"] as const

/** A heading of the help. */
export type Group = (typeof groups)[number]

/** A setting. */
export interface DrillSetting {
  /** On the command line after `--`; the key in a file. */
  readonly name: string
  /** How it is written. */
  readonly form: Form
  /** What stands for the value in the help. */
  readonly value: string
  /** What it means, with its default. */
  readonly description: string
  /** Under which heading of the help it stands. */
  readonly group: Group
  /** It says something of a service that is named with `command`: without one there is nothing for it to be true of. */
  readonly ofService?: true
  /** Only on the command line. */
  readonly onlyFlag?: true
}

const targets: Readonly<Record<Targets.Target, string>> = {
  fast: "GET, answered at once with a 2xx. Default: /",
  slow: "GET, answered after a while (100 ms to a few seconds). {ms} in a path is replaced by the milliseconds that a scenario wants, as in /slow?ms={ms}",
  long: "GET, answered later than the grace. Default: the slow one, where that has {ms}",
  echo: "POST with a small body, answered at once",
  upload: "POST, answered when its whole body was read",
  stream: "GET, whose body comes in pieces over a while",
  sse: "GET, Server-Sent Events or another response without an end",
  ws: "GET that becomes a WebSocket",
  ready:
    "GET, 2xx when the service takes work, another status when it does not; asked until it is ready. Default: a TCP connection is enough",
  live: "GET, 2xx as long as the process lives",
  block: "GET, answered at once, after which the service looks at no socket for {ms} milliseconds"
}

/** All of them, in the order in which the help shows them. */
export const settings: ReadonlyArray<DrillSetting> = [
  {
    name: "command",
    group: "The service",
    form: "one",
    value: "COMMAND",
    description:
      "Command line that starts the service. It is run without a shell, which would keep the signal to itself. Default: this service itself"
  },
  {
    name: "url",
    group: "The service",
    form: "one",
    value: "URL",
    description:
      "Where the service listens. With port 0 (the default is http://127.0.0.1:0) a free port is picked for every start, given to the service as PORT and put for {port} in --command and --env",
    ofService: true
  },
  ...(["ready", ...Targets.all.filter((name) => name !== "ready")] as const).map((name): DrillSetting => ({
    name,
    group: "Its paths",
    form: "one",
    value: "PATH",
    description: targets[name],
    ofService: true
  })),
  {
    name: "scenario",
    group: "The drill",
    form: "many",
    value: "ID",
    description: "Only this scenario; may be repeated. Default: all that the given paths allow. See --list"
  },
  {
    name: "stops",
    group: "The drill",
    form: "one",
    value: "N",
    description: "Stops in all, at least one a scenario. Default: 20"
  },
  {
    name: "signal",
    group: "The drill",
    form: "one",
    value: "NAME",
    description: "What stops the service. Default: SIGTERM"
  },
  {
    name: "grace",
    group: "The drill",
    form: "one",
    value: "TIME",
    description:
      "What the service is given from the signal to its exit; then it is killed, and that is a failure. Default: 30s"
  },
  {
    name: "short-grace",
    group: "The drill",
    form: "one",
    value: "TIME",
    description:
      "A shorter grace for scenarios that outlast it, of which --short-grace-env tells the service. Default: the whole grace",
    ofService: true
  },
  {
    name: "short-grace-env",
    group: "The drill",
    form: "pairs",
    value: "NAME=value",
    description: "How the service is told of the short grace, as SHUTDOWN_TIMEOUT=2; may be repeated",
    ofService: true
  },
  {
    name: "exit",
    group: "The drill",
    form: "many",
    value: "CODE",
    description:
      "An exit code, or the name of a signal, with which a stop is in order; may be repeated. Default: 0",
    ofService: true
  },
  {
    name: "connections",
    group: "The drill",
    form: "one",
    value: "N",
    description: "Kept-alive clients of a heavy load, 1 to 10000. Default: 64"
  },
  {
    name: "report",
    group: "The report",
    form: "many",
    value: "FILE",
    description:
      "Where the report goes: .html is a page to look at, .json for machines, .txt the table; - is JSON on standard output. May be repeated"
  },
  {
    name: "duration",
    group: "The drill",
    form: "one",
    value: "TIME",
    description: "No further stop is begun after this. Default: 30min"
  },
  {
    name: "start-timeout",
    group: "The drill",
    form: "one",
    value: "TIME",
    description: "What the service is given until it is ready. Default: 30s"
  },
  {
    name: "seed",
    group: "The drill",
    form: "one",
    value: "N",
    description: "Draws the same think times and orders again. Default: another one each time"
  },
  {
    name: "env",
    group: "The service",
    form: "pairs",
    value: "NAME=value",
    description: "Environment of the service, over that of the drill; may be repeated"
  },
  {
    name: "cwd",
    group: "The service",
    form: "one",
    value: "FOLDER",
    description: "Working directory of the service",
    ofService: true
  },
  {
    name: "name",
    group: "The report",
    form: "one",
    value: "TEXT",
    description: "What the report calls the service"
  },
  {
    name: "allow-remote",
    group: "The drill",
    form: "switch",
    value: "",
    description: "Talk to another host than this one. The drill loads and breaks what it talks to",
    ofService: true
  },
  {
    name: "file",
    group: "The drill",
    form: "one",
    value: "FILE",
    description:
      "Read settings from a file in TOML, under these names (stops = 50); the command line wins. Default: none",
    onlyFlag: true
  },
  {
    name: "list",
    group: "The drill",
    form: "switch",
    value: "",
    description: "Print the scenarios and the paths that they need, and do nothing",
    onlyFlag: true
  }
]

/** What was given: the texts under each name, in order. A switch is `true` or `false`; pairs are `NAME=value`. */
export type Given = ReadonlyMap<string, ReadonlyArray<string>>
