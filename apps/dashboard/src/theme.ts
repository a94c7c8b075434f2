import { createTheme, type CSSVariablesResolver } from '@mantine/core'

/** Calm and dense; every pair of colours has a contrast of at least 4.5. */
export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: 8,
  colors: {
    dark: [
      '#e6eaef',
      '#c3ccd6',
      '#aeb8c4',
      '#7d8996',
      '#4a5562',
      '#343d48',
      '#232a32',
      '#1b2026',
      '#161a20',
      '#101317',
    ],
    sea: [
      '#e6f3fa',
      '#cfe5f2',
      '#a0cbe6',
      '#6cb0d9',
      '#4499cc',
      '#2b8ac4',
      '#1b7fb9',
      '#0f6ca1',
      '#0b5c8a',
      '#074a70',
    ],
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  cursorType: 'pointer',
})

/** Mantine's own greys for secondary text and errors are too pale to read. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f5f7f9',
    '--mantine-color-text': '#1a1f27',
    '--mantine-color-dimmed': '#4d5866',
    '--mantine-color-placeholder': '#5f6b7a',
    '--mantine-color-error': '#a31515',
    '--mantine-color-anchor': '#0b5c8a',
  },
  dark: {
    '--mantine-color-body': '#14181d',
    '--mantine-color-text': '#e6eaef',
    '--mantine-color-dimmed': '#aeb8c4',
    '--mantine-color-placeholder': '#98a3b0',
    '--mantine-color-error': '#ff9b93',
    '--mantine-color-anchor': '#7cc2ec',
  },
})
