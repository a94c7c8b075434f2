import { MantineProvider } from '@mantine/core'
import '@mantine/core/styles.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createPageParts, PageContext } from './page-parts.ts'
import { router } from './router.tsx'
import './styles.css'
import { theme, variables } from './theme.ts'

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''
// The scroll lock of dialogs makes a style element of its own and looks for the nonce here.
Object.assign(globalThis, { __webpack_nonce__: nonce })

const parts = createPageParts()

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={parts.queries}>
        <PageContext value={parts}>
          <RouterProvider router={router} />
        </PageContext>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
