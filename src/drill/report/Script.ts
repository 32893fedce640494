/**
 * What the page can do beyond being read: another stop of a scenario, another part of a timeline. Without it the worst stop of each is there, whole.
 *
 * @module
 */

/** Goes into the page as it is; must not contain the end tag of a script. */
export const js = `
document.documentElement.classList.add("js")
const choose = (buttons, shown) => buttons.forEach((button, i) => button.addEventListener("click", () => {
  buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)))
  shown.forEach((part, at) => { part.hidden = at !== i })
}))
document.querySelectorAll(".scenario").forEach((scenario) =>
  choose([...scenario.querySelectorAll(".picker button")], [...scenario.querySelectorAll(".stop")]))
document.querySelectorAll(".timeline").forEach((timeline) =>
  choose([...timeline.querySelectorAll(".zoom button")], [...timeline.querySelectorAll(".view")]))
`
