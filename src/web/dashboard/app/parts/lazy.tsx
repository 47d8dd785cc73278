// A page that is fetched when it is first looked at.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorBox } from "./problem.tsx";
import { Skeleton } from "./skeleton.tsx";

export function lazyPage(load: () => Promise<{ default: ComponentType }>): ComponentType {
  let loaded: ComponentType | null = null;
  return function LazyPage() {
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
      if (!loaded) fetchPage();
    }, []);
    if (state.page) {
      const Page = state.page;
      return <Page />;
    }
    return state.error ? <ErrorBox error={state.error} retry={fetchPage} /> : <Skeleton lines={6} />;
  };
}
