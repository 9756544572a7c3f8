// Expressions that a browser evaluates in a page. As text: this program knows no DOM.

/** Whether one has to scroll sideways. */
export const IS_TOO_WIDE = 'document.documentElement.scrollWidth > document.documentElement.clientWidth'

/**
 * The first text whose colour is too close to that of its ground, with the ratio of the two; `null` where there is none.
 * @see https://www.w3.org/TR/WCAG22/#contrast-minimum
 */
export const CONTRAST_FAULT = `(() => {
  const MIN_RATIO = 4.5
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const paint = (colour, ground) => {
    for (const fill of ['rgb(' + ground.join() + ')', colour]) {
      context.fillStyle = fill
      context.fillRect(0, 0, 1, 1)
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => linear(c / 255))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const canvasOf = matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255]
  const groundOf = (element) =>
    element === null
      ? canvasOf
      : paint(getComputedStyle(element).backgroundColor, groundOf(element.parentElement))
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    const text = texts.currentNode.textContent.trim()
    if (text === '' || !element.checkVisibility()) continue
    const ground = groundOf(element)
    const colour = paint(getComputedStyle(element).color, ground)
    const [darker, lighter] = [luminance(colour), luminance(ground)].sort((a, b) => a - b)
    const ratio = (lighter + 0.05) / (darker + 0.05)
    if (ratio < MIN_RATIO) return text.slice(0, 40) + ': ' + ratio.toFixed(2)
  }
  return null
})()`
