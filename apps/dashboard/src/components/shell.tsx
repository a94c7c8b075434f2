import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { isOld } from '../connection.ts'
import { Account, ExpiryBanner } from './account.tsx'
import { Announcer } from './announcer.tsx'
import { ConnectionBadge, OldPageBanner } from './connection-badge.tsx'
import { ThemeSwitch } from './theme-switch.tsx'
import { useConnection } from './use-page.ts'

const PLACES = [
  ['/releases', 'Releases'],
  ['/task-services', 'Task services'],
  ['/studies', 'Studies'],
  ['/tasks', 'Tasks'],
  ['/release-notes', 'Notes'],
  ['/events', 'Events'],
  ['/audit', 'Audit'],
] as const

/** What is around every page. */
export function Shell() {
  const connection = useConnection()
  const main = useMainFocus()
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <Header />
      <OldPageBanner />
      <ExpiryBanner />
      <main id="main" ref={main} tabIndex={-1} data-old={isOld(connection) || undefined}>
        <Outlet />
      </main>
      <Announcer />
    </>
  )
}

function Header() {
  return (
    <header className="header">
      <div className="header-row">
        <span className="product">Release coordinator</span>
        <div className="header-tools">
          <ConnectionBadge />
          <ThemeSwitch />
          <Account />
        </div>
      </div>
      <nav aria-label="Main" className="places">
        {PLACES.map(([to, name]) => (
          <Link
            key={to}
            to={to}
            className="place"
            activeProps={{ className: 'place is-here', 'aria-current': 'page' }}
          >
            {name}
          </Link>
        ))}
      </nav>
    </header>
  )
}

/** Who hears the page is taken to its content when it changes. */
function useMainFocus() {
  const main = useRef<HTMLElement>(null)
  const path = useLocation({ select: ({ pathname }) => pathname })
  const before = useRef(path)
  useEffect(() => {
    if (before.current !== path) main.current?.focus({ preventScroll: true })
    before.current = path
  }, [path])
  return main
}
