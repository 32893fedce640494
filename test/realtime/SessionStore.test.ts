import * as SessionStore from "../../src/realtime/SessionStore.js"
import { sessionStoreSuite } from "./support/SessionStoreSuite.js"

sessionStoreSuite("the store in memory", SessionStore.makeMemory)
