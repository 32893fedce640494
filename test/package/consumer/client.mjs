// What a page or another program writes: the client of the package, and what it hears of a service until that stops.
import { connect } from "stellar-insights/client"
import { WebSocket } from "ws"

const client = connect({
  url: process.argv[2],
  channels: ["clock"],
  WebSocket,
  onEvent: ({ type }) => console.log(`event ${type}`),
  onMessage: ({ op }) => {
    if (op !== "bye") return
    console.log("bye")
    client.close()
  }
})
