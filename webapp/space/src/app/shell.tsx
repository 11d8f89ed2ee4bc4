// The frame of every page: the way to crisis help, navigation, the way out, the footer.
//
// Owns: header, navigation and footer. "Talk to someone now" and "Leave this page" are on every page, signed in or not.

import type { ComponentChildren, JSX } from "preact";
import { Button, Icon, Link } from "./parts.js";

export interface NavigationItem {
  readonly route: string;
  readonly title: string;
}

interface ShellProps {
  readonly agency: string;
  readonly demonstration: boolean;
  readonly navigation: readonly NavigationItem[];
  readonly route: string;
  readonly leave: () => void;
  readonly lock: (() => void) | null;
  readonly children: ComponentChildren;
}

export function Shell(props: ShellProps): JSX.Element {
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: a link to a place on this page, which jumps there by hand */}
      <a
        href="#main-content"
        class="govuk-skip-link"
        onClick={(event) => {
          // The part after "#" is the page's address here, so the jump is made by hand.
          event.preventDefault();
          document.getElementById("main-content")?.focus();
        }}>
        Skip to main content
      </a>
      <header class="ww-header">
        <div class="govuk-width-container">
          <a class="ww-brand" href="#/">
            Wardwell <small>{props.agency}</small>
          </a>
          <a class="ww-crisis" href="/crisis/" rel="noreferrer">
            <Icon name="phone" />
            <span>Talk to someone now</span>
          </a>
        </div>
      </header>
      {props.navigation.length > 0 && (
        <nav class="ww-navigation ww-screen-only" aria-label="Main">
          <div class="govuk-width-container">
            <ul>
              {props.navigation.map(({ route, title }) => (
                <li key={route}>
                  <a href={`#${route}`} aria-current={route === props.route ? "page" : undefined}>
                    {title}
                  </a>
                </li>
              ))}
            </ul>
            {props.lock && (
              <div class="ww-who">
                <button type="button" onClick={props.lock}>
                  Lock
                </button>
              </div>
            )}
          </div>
        </nav>
      )}
      <div class="govuk-width-container ww-container">
        <div class="govuk-exit-this-page ww-screen-only">
          <Button kind="warning" onClick={props.leave}>
            {" "}
            Leave this page
          </Button>
        </div>
        <main class="govuk-main-wrapper" id="main-content" tabIndex={-1}>
          {props.children}
        </main>
      </div>
      <footer class="ww-footer">
        <div class="govuk-width-container">
          {props.demonstration && <p>This is a demonstration: the agency and everyone in it are invented.</p>}
          <p>Wardwell runs inside this agency's network. It has no connection to the internet.</p>
          <p>
            <Link to="/charter/">Who can see what</Link>
          </p>
        </div>
      </footer>
    </>
  );
}
