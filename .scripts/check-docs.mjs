// Every export of the public entries, and every field of a public interface, says what it means.
import { Application, LogLevel } from "typedoc"

const app = await Application.bootstrapWithPlugins({ options: ".scripts/typedoc.json" })
const silent = []
app.logger = Object.assign(app.logger, {
  addContext: (message) => message,
  log: (message, level) => {
    // Fields of type literals that schemas derive are documented where the schema stands, once.
    if (level >= LogLevel.Warn && !message.includes(".__type.") && !message.includes("git remote"))
      silent.push(message)
  }
})
const project = await app.convert()
if (project === undefined) process.exit(1)
app.validate(project)
for (const message of silent) console.error(message)
console.log(silent.length === 0 ? "every public export is documented" : `${silent.length} to be documented`)
process.exitCode = silent.length === 0 ? 0 : 1
