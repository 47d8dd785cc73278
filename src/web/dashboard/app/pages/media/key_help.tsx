// What the keys of the player do.
import { words } from "../../words.ts";

const t = words({
  space: ["Play or pause", "播放 / 暂停"],
  jkl: ["Back, stop, on; again for faster", "倒放 / 停止 / 快进；重复按加速"],
  frames: ["One frame back or on", "上一帧 / 下一帧"],
  arrows: ["5 s back or on; with Shift 1 s", "后退 / 前进 5 秒；按住 Shift 为 1 秒"],
  digits: ["To 0 % … 90 % of the film", "跳到 0 % … 90 %"],
  line: ["On the time line: 30 s, beginning, end", "时间轴获得焦点时：30 秒、开头、结尾"],
  sound: ["Mute", "静音"],
  captions: ["Next subtitles", "切换字幕"],
  full: ["Full screen", "全屏"],
});

const KEYS: [string[], Parameters<typeof t>[0]][] = [
  [["Space"], "space"],
  [["J", "K", "L"], "jkl"],
  [[",", "."], "frames"],
  [["←", "→"], "arrows"],
  [["0", "…", "9"], "digits"],
  [["PgUp", "PgDn", "Home", "End"], "line"],
  [["M"], "sound"],
  [["C"], "captions"],
  [["F"], "full"],
];

export function KeyHelp({ more = [] }: { more?: [string[], string][] }) {
  const all: [string[], string][] = [...more, ...KEYS.map(([keys, word]): [string[], string] => [keys, t(word)])];
  return (
    <dl class="media-keys">
      {all.map(([keys, text]) => <div key={text}><dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{text}</dd></div>)}
    </dl>
  );
}
