// A page that is fetched when it is first looked at.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorBox } from "./problem.tsx";
import { Skeleton } from "./skeleton.tsx";

export type LazyPage = ComponentType & {
  /// Begins to fetch it before it is shown.
  ahead: () => void;
};

export function lazyPage(load: () => Promise<{ default: ComponentType }>): LazyPage {
  let loaded: ComponentType | null = null;
  function Lazy() {
    const [state, setState] = useState<{ page: ComponentType | null; error: unknown }>({ page: loaded, error: null });
    const fetchPage = () => {
      load().then(
        (module) => {
          loaded = module.default;
          setState({ page: loaded, error: null });
        },
        (error: unknown) => setState({ page: null, error }),
      );
    };
    useEffect(() => {
      if (!state.page) fetchPage();
    }, []);
    if (state.page) {
      const Page = state.page;
      return <Page />;
    }
    return state.error ? <ErrorBox error={state.error} retry={fetchPage} /> : <Skeleton lines={6} />;
  }
  // What goes wrong is told when it is shown.
  const ahead = () => void load().then((module) => (loaded = module.default), () => null);
  return Object.assign(Lazy, { ahead });
}
