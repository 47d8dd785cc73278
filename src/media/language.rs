//! Language codes of files as the ones manifests want.
//!
//! Guarantees: pure; a code of ISO 639-2 that has one of two letters becomes that one, as RFC 5646 wants it. Deliberately
//! absent: names of languages.

/// Three letters (both the terminological and the bibliographic code), then the two that stand for them.
const SHORT: &str = "\
    aaraa abkab afraf akaak albsq amham araar argan armhy asmas avaav aveae aymay azeaz bakba bambm baqeu belbe \
    benbn bihbh bisbi bodbo bosbs brebr bulbg burmy catca cescs chach chece chizh chucu chvcv corkw cosco crecr \
    cymcy czecs danda deude divdv dutnl dzodz ellel engen epoeo estet euseu eweee faofo fasfa fijfj finfi frafr \
    frefr fryfy fulff geoka gerde glagd glega glggl glvgv greel grngn gujgu hatht hauha hebhe herhz hinhi hmoho \
    hrvhr hunhu hyehy iboig iceis idoio iiiii ikuiu ileie inaia indid ipkik islis itait javjv jpnja kalkl kankn \
    kasks katka kaukr kazkk khmkm kikki kinrw kirky komkv konkg korko kuakj kurku laolo latla lavlv limli linln \
    litlt ltzlb lublu luglg macmk mahmh malml maomi marmr mayms mkdmk mlgmg mltmt monmn mrimi msams myamy nauna \
    navnv nblnr ndend ndong nepne nldnl nnonn nobnb norno nyany ocioc ojioj orior ormom ossos panpa perfa plipi \
    polpl porpt pusps quequ rohrm ronro rumro runrn rusru sagsg sansa sinsi slksk slosk slvsl smese smosm snasn \
    sndsd somso sotst spaes sqisq srdsc srpsr sswss sunsu swasw swesv tahty tamta tattt telte tgktg tgltl thath \
    tibbo tirti tonto tsntn tsots tuktk turtr twitw uigug ukruk urdur uzbuz venve vievi volvo welcy wlnwa wolwo \
    xhoxh yidyi yoryo zhaza zhozh zulzu";

/// Of a language with two codes of three letters, the one of libraries.
const BIBLIOGRAPHIC: [&str; 20] = [
    "alb", "arm", "baq", "bur", "chi", "cze", "dut", "fre", "geo", "ger", "gre", "ice", "mac", "mao", "may", "per",
    "rum", "slo", "tib", "wel",
];

/// The RFC 5646 tag of what a file says of its track; none when it says that nothing is known, or nonsense.
pub fn tag(said: &str) -> Option<String> {
    let said = said.trim().replace('_', "-");
    let mut parts = said.split('-');
    let first = parts.next()?.to_ascii_lowercase();
    if !(2..=3).contains(&first.len()) || !first.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    // No language, several, and codes that files fill in when nobody chose one.
    if ["und", "mul", "zxx", "mis"].contains(&first.as_str()) {
        return None;
    }
    let short = SHORT
        .split(' ')
        .filter_map(|pair| pair.split_at_checked(3))
        .find(|(long, _)| *long == first);
    let mut tag = short.map_or(first.clone(), |(_, short)| short.to_owned());
    for part in parts {
        if !(1..=8).contains(&part.len()) || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        tag.push('-');
        tag.push_str(part);
    }
    Some(tag)
}

/// The three letters of ISO 639-2 for what a file says of its track, as MP4 and MPEG-TS want them; none when nothing is
/// known.
pub fn long(said: &str) -> Option<String> {
    let tag = tag(said)?;
    let short = tag.split('-').next()?;
    if short.len() == 3 {
        return Some(short.to_owned());
    }
    let mut pairs = SHORT.split(' ').filter_map(|pair| pair.split_at_checked(3));
    pairs
        .find(|(three, two)| *two == short && !BIBLIOGRAPHIC.contains(three))
        .map(|(three, _)| three.to_owned())
}

#[cfg(test)]
mod tests {
    use super::long;
    use super::tag;

    #[test]
    fn short_codes_become_long_ones() {
        for (said, wanted) in [
            ("en", "eng"),
            ("en-US", "eng"),
            ("ger", "deu"),
            ("fr", "fra"),
            ("nl", "nld"),
            ("gsw", "gsw"),
        ] {
            assert_eq!(long(said).as_deref(), Some(wanted), "{said}");
        }
        assert_eq!(long("und"), None);
    }

    #[test]
    fn long_codes_become_short_ones() {
        for (said, wanted) in [
            ("eng", Some("en")),
            ("ger", Some("de")),
            ("deu", Some("de")),
            ("zh-Hans", Some("zh-Hans")),
            ("chi", Some("zh")),
            ("pt_BR", Some("pt-BR")),
            ("yue", Some("yue")),
            ("und", None),
            ("", None),
            ("English", None),
            ("e\"n", None),
        ] {
            assert_eq!(tag(said).as_deref(), wanted, "{said:?}");
        }
    }
}
