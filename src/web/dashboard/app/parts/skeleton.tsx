// What stands where something will be in a moment.
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" aria-busy="true">
      {Array.from({ length: lines }, (_, at) => <span key={at} />)}
    </div>
  );
}
