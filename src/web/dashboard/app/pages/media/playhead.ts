// Where in the film we are: the one thing that the player, its time line and all graphs beneath share.
import { type Signal, signal } from "@preact/signals";

export interface Playhead {
  /// Seconds, as often as the picture changes.
  time: Signal<number>;
  /// The same a few times a second, for graphs.
  slow: Signal<number>;
  duration: Signal<number>;
  playing: Signal<boolean>;
  rate: Signal<number>;
  video: HTMLVideoElement | null;
  seek: (to_s: number) => void;
}

export function makePlayhead(): Playhead {
  const head: Playhead = {
    time: signal(0),
    slow: signal(0),
    duration: signal(0),
    playing: signal(false),
    rate: signal(1),
    video: null,
    seek: (to_s) => {
      const end = head.duration.value || Infinity;
      const to = Math.max(0, Math.min(end, to_s));
      if (head.video) head.video.currentTime = to;
      head.time.value = to;
      head.slow.value = to;
    },
  };
  return head;
}

/// How a time reads in the source's own timecode: `10:00:04:12`, with drop frames counted where it drops them.
export function sourceTimecode(start: string, rate: { num: number; den: number }, at_s: number): string | null {
  const parts = /^(\d+):(\d+):(\d+)([:;.])(\d+)$/.exec(start);
  if (!parts) return null;
  const [, h, m, s, mark, f] = parts;
  const drop = mark === ";";
  const whole = Math.round(rate.num / rate.den);
  const dropped = drop ? Math.round(whole / 15) : 0;
  const minutes = Number(h) * 60 + Number(m);
  let frames = (minutes * 60 + Number(s)) * whole + Number(f) - dropped * (minutes - Math.floor(minutes / 10));
  frames += Math.floor((at_s * rate.num) / rate.den + 1e-6);
  if (drop) {
    const ten = whole * 600 - dropped * 9;
    const one = whole * 60 - dropped;
    const tens = Math.floor(frames / ten);
    const rest = frames % ten;
    frames += dropped * 9 * tens + (rest >= dropped ? dropped * Math.floor((rest - dropped) / one) : 0);
  }
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.floor(frames / whole);
  return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${drop ? ";" : ":"}${two(frames % whole)}`;
}
