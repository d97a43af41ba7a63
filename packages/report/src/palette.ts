// Colours as CSS variables, so that one drawing serves light and dark. The eight hues stay apart for the common kinds of colour
// blindness (after Okabe and Ito 2008), lighter on dark ground; from the ninth series on they come again, dashed.

export const lightSeries = ['#2563c9', '#d4660a', '#0b8a63', '#b83a7e', '#7a56c8', '#8a6d00', '#0b87a8', '#5c6470']
export const darkSeries = ['#7fb0ff', '#ffa45c', '#4fd0a2', '#ff8fc4', '#b9a1ff', '#e6c34d', '#58cbe8', '#b3bac4']

export const seriesColor = (index: number): string => `var(--series-${index % lightSeries.length})`

const dashes = ['', '6 4', '2 3', '9 3 2 3']
export const seriesDash = (index: number): string => dashes[Math.floor(index / lightSeries.length) % dashes.length]!

export const seriesVariables = (colors: readonly string[]): string => colors.map((color, index) => `--series-${index}: ${color};`).join(' ')
