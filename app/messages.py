"""Sentences that Python says to people, by code; everything else stands in the templates. Japanese is the source.

「本部に届いた」 is said only where the node knows that the hub holds the record durably.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from sync.errors import NoScopeKey

SAVED_HERE = _("この端末に保存済み。本部へはつながると自動で送ります")
SAVED_AND_SENDING = _("この端末に保存済み。本部へ送っています")
SAVED_AT_HUB = _("保存しました。この画面は親機なので、本部に届いています")
PICTURE_SAID = _("写真・声を送りました")
UNDONE = _("取り消しました。履歴には残ります")
UNDO_KEPT = _("取り消しは記録しましたが、助けを待つ人の報告は隠れません")
SETTLED = _("決めました。両方の値と決めた人が履歴に残ります")
TRYING = _("本部へつなぎ直しています")
LOGIN_WRONG = _("名前か合言葉が違います。もう一度入力するか、管理者に新しい登録コードを頼んでください")
LOGIN_CODE_WRONG = _("名前か登録コードが違うか、コードの期限が切れています。本部か管理者に新しいコードを頼んでください")
LOGIN_WAIT = _("まちがいが続いたので、しばらく待ってからもう一度入力してください")
TOO_MANY_REQUESTS = _("短い間に開きすぎました。しばらく待ってから、もう一度試してください")
LOGGED_OUT = _("ログアウトしました")
UNLOCK_WRONG = _("合言葉が違います。10回まちがえると、ログインからやり直しです")
LOCKED_OUT = _("10回まちがえたので、ログアウトしました。書きかけは残っています")
NAME_TAKEN = _("同じか、見まちがえる名前の人がすでにいます。名前のあとに班か番号を付けてください")
SECOND_WRONG = _("数字が違います。いちばん新しい6桁か、紙の回復コードを入れてください")
SECOND_WAIT = _("まちがいが続いたので、15分待ってください。紙の回復コードならすぐ使えます")
CLOCK_SET_BACK = _("この機械の時計が戻っています。時計を直すか、紙の回復コードを使ってください")
SECOND_DONE = _("二要素認証を設定しました")
USER_CHANGED = _("変えました。ほかの端末にも届きます")
VOUCHED_FOR = _("この端末でログインできるようにしました。だれが保証したかは履歴に残ります")
ENVELOPE_ENDED = _("封筒を無効にしました。残りのコードはもう使えません")
REVOKED = _("失効させました。この端末はもうつながりません")
ACCEPTED = _("その後に届いた記録を受け入れました")
SEALED = _("封をして保存しました")
TAKEN_OVER = _("引き継ぎました。書いた人にも見えます")
OWN_NOTE = _("自分の引継ぎは、ほかの人が引き継ぎます")
SET_ASIDE = _("一覧から外しました。中身が変わると、また出ます")
JOINED = _("まとめました。記録は元のまま残り、いつでも分けられます")
PARTED = _("分けました。記録はそれぞれの災害に残っています")
SAME_DAMAGE = _("同じ被害として結びました。どちらの報告も残り、いつでも分けられます")
WITHDRAWN = _("取り下げました。宛先の画面にも取り下げと出ます")
OTHER_DAMAGE = _("別の被害に分けました。結んだことと分けたことは、結んでいた報告の履歴に残ります")
NOBODY_SO_CALLED = _("その班か人は、この端末の名簿にありません。選び直してください")
NO_SUCH_REPORT = _("その番号の報告は、この災害にありません。番号を確かめてください")
NOTHING_CHANGED = _("変わったところはありません")

_NOT_OUR_HUB = _(
    "つながった相手は、この市の本部ではありません。何も送っていません。"
    "記録はこの端末に残ります。本部に知らせ、この Wi-Fi は使わないでください"
)
_HUB_FAULTS: dict[str, tuple[Any, Any]] = {
    "hub_other": (_("本部の証明書が違います"), _NOT_OUR_HUB),
    "hub_not": (_("本部の証明書が違います"), _NOT_OUR_HUB),
    "relayed": (_("本部との間に、別の機械が入っています"), _NOT_OUR_HUB),
    "hub_revoked": (_("つながった親機は、使用を止められています"), _NOT_OUR_HUB),
    "hub_ended": (
        _("本部の証明書は、この端末の時計では期限切れです"),
        _("端末の時計を合わせてください。合っているときは、本部の管理者に知らせてください。記録はこの端末に残ります"),
    ),
    "no_tls_authority": (
        _("この端末の証明書が、まだありません"),
        _("本部の管理者に知らせてください。親機の準備ができると自動で受け取り、つながります。記録はこの端末に残ります"),
    ),
    "certificate_ended": (
        _("この端末の証明書は、期限が切れています"),
        _("自動で新しくします。しばらく続くときは、本部の管理者に知らせてください。記録はこの端末に残ります"),
    ),
    "revoked": (
        _("この端末は、本部が使用を止めました"),
        _("本部に持って来てください。まだ送っていない記録は取り出せます"),
    ),
}
_HUB_FAULTS |= {
    "leaf_refused": _HUB_FAULTS["hub_other"],
    "no_leaf": _HUB_FAULTS["no_tls_authority"],
    "certificate_revoked": _HUB_FAULTS["revoked"],
}

_NO_KEY = _("封をする鍵が、まだこの端末に届いていません。本部とつながると届きます。この欄を空にすれば保存できます")
_PEOPLE = _("人数:0から1,000,000までの整数で書いてください")
_MOMENT = _("日時:カレンダーから選ぶか、空のままにしてください")
_LINE = _("200文字までで、1行で書いてください")
_FIELD_FAULTS: dict[str, Any] = {
    **dict.fromkeys(("deaths", "missing", "injured_serious", "injured_minor"), _PEOPLE),
    **dict.fromkeys(("occurred_at", "found_at", "restoration_at"), _MOMENT),
    **dict.fromkeys(("landmark", "road_name", "regulated_by", "detour", "river_name"), _LINE),
    "lifeline_homes": _("影響する戸数:0から1,000,000までの整数で書いてください"),
    "distance_mark": _("距離標:12.4k のように、40文字までで書いてください"),
    "same_as": _("同じ被害:その報告は、この端末にありません。選び直してください"),
    "category": _("何がありましたか:1つ選んでください"),
    "summary": _("ひとこと:200文字までで書いてください"),
    "description": _("くわしい説明:2,000文字までで書いてください"),
    "address": _("場所:200文字までで、1行で書いてください"),
    "location": _("位置:取り直すか、場所を文字で書いてください"),
    "status": _("安全・注意・通行止めのどれかを押してください"),
    "route": _("経路:地図で引き直すか、線を消してください"),
    "note": _("写真を撮るか、理由を2,000文字までで書いてください"),
    "water_depth_cm": _("水の深さ:0から10,000までの整数(cm)で書いてください"),
    "total": _("人数:0から1,000,000までの数を書いてください。男・女の合計より少なくはできません"),
    "male": _("男:数で書くか、空のままにしてください"),
    "female": _("女:数で書くか、空のままにしてください"),
    "other": _("その他・不明:数で書くか、空のままにしてください"),
    "post": _("受付の名前:100文字までで書いてください"),
    "name": _("名前:1文字から100文字までで書いてください"),
    "mode": _("種別:本番・訓練・試験から1つ選んでください"),
    "kind": _("災害の種類:1つ選んでください"),
    "text": _("本文:1文字から2,000文字までで書いてください"),
    "happened": _("時刻:20:46 のように書いてください"),
    "late_reason": _("24時間より前の記録です。あとから書く理由を書いてください"),
    "recipients": _("宛先:1つ以上選んでください"),
    "passphrase": _("合言葉:8文字以上で、ほかの人が思いつかないものにしてください"),
    "own_passphrase": _("あなたの合言葉が違います"),
    "role": _("役割:1つ選んでください"),
    "team": _("班:一覧から選んでください"),
    "title": _("封筒の名前:60文字までで、1行で書いてください"),
    "count": _("枚数:1から30までの数を選んでください"),
    "days": _("期限:1日から14日までで選んでください"),
    "code": _("登録コード:紙にあるとおりに入力してください"),
    "keep": _("届いている記録をどうするか:1つ選んでください"),
    "until": _("この時刻まで:日付と時刻を入れてください"),
    "meeting_no": _("第何回:1から999までの数で書いてください"),
    "decisions": _("決定:1行に1つ、2,000文字までで、30行までにしてください"),
    "others": _("ほかの出席者:200文字までで、1行で書いてください"),
    "agenda": _("議題:2,000文字までで書いてください"),
    "information": _("報告された情報:2,000文字までで書いてください"),
    "headline": _("見出し:1行で、200文字までで書いてください"),
    "withdrawn_reason": _("理由:なぜ取り下げるかを、200文字までで書いてください"),
    "leader": _("班長:班員から選んでください"),
    "because": _("理由:なぜそのままでよいか、200文字までで書いてください"),
    "reason": _("理由:200文字までで書いてください"),
    "label": _("端末の番号:画面の上にある番号と同じものを入れてください"),
    "attachments": _("写真・声:この端末で受け取れませんでした。外すか、撮り直してください"),
    "level": _("配備体制:1つ選んでください"),
    "state": _("回答:1つ選んでください"),
    "message": _("伝えること:2,000文字までで書いてください"),
    "kana": _("ふりがな:100文字までで書いてください"),
    "employee_number": _("職員番号:40文字までで書いてください"),
    "department": _("所属:100文字までで書いてください"),
    "place": _("場所:200文字までで、1行で書いてください"),
    "from_level": _("参集する配備:一覧から選んでください"),
    "phone": _("電話番号:40文字までで書いてください"),
    "phone_other": _("もう1つの電話番号:40文字までで書いてください"),
    "mail": _("メールアドレス:半角で name@city.example のように書いてください"),
    "caller_name": _("通報者の氏名:100文字までで書いてください"),
    "caller_phone": _("通報者の電話番号:40文字までで書いてください"),
    "caller_address": _("通報者の住所:200文字までで、1行で書いてください"),
    "casualty_names": _("負傷者の氏名:1,000文字までで書いてください"),
    "no_scope_key": _(
        "封をする鍵が、まだこの端末に届いていません。本部とつながると届きます。この欄を空にすれば、報告は送れます"
    ),
    "id": _("この番号の記録は、別の内容ですでに保存されています"),
}
_ENROLMENT_FAULTS: dict[str, Any] = {
    "hub_unreachable": _(
        "本部のアドレスから返事がありません。アドレスと、同じネットワークにいることを確かめてください"
    ),
    "bad_address": _("本部のアドレスの形が違います。例:192.168.11.5:8400"),
    "bad_link": _("リンクが途中で切れています。全部を貼り付けてください"),
    "bad_code": _("登録コードは4文字が8組です。1文字ずつ確かめてください"),
    "code_wrong": _("この本部に、そのコードはありません。1文字ずつ確かめてください"),
    "code_used": _("このコードはもう使われました。本部で新しいコードを作ってください"),
    "code_expired": _("コードの期限が切れました。本部で新しいコードを作ってください"),
    "approval_expired": _("本部の承認が間に合いませんでした。本部で新しいコードを作ってください"),
    "refused": _("本部が拒否しました。番号が違ったか、別の端末でした。本部の人に確かめてください"),
    "other_city": _("そのコードは、この本部のものではありません。アドレスとコードの組を確かめてください"),
    "too_many_tries": _("まちがいが続いたので、1分待ってからもう一度入れてください"),
    "other_version": _("本部とこの端末で、Tomoshibi の版が違います。同じ版にしてください"),
}
_OTHER_ENROLMENT_FAULT = _("登録できませんでした。本部で新しいコードを作り、もう一度試してください")
_FILE_FAULTS: dict[str, Any] = {
    "empty_file": _("中身のないファイルです。もう一度撮ってください"),
    "broken_file": _("写真か声がこわれています。もう一度撮るか録ってください"),
    "too_many_pixels": _("写真の画素が多すぎます。カメラの設定で小さくして、撮り直してください"),
    "file_too_large": _("12 MB を超える写真は受け取れません。カメラの設定で小さくして、撮り直してください"),
    "voice_too_long": _("声は60秒までです。2つに分けて録ってください"),
    "video_refused": _("動画は受け取れません。写真と声で送ってください"),
    "heic_not_here": _("この端末では HEIC を読めません。カメラを JPEG(互換性優先)にして撮り直してください"),
    "file_not_read": _("このファイルは読めませんでした。撮り直してください"),
    "too_many_files": _("写真と声は、1つの報告に10個までです"),
    "intake_busy": _("写真の受け取りが混み合っています。少し待つと、もう一度試します"),
    "store_full": _("この端末の空きがなくなり、写真を保存できません。報告は写真なしで送れます"),
}
_OTHER_FILE = _("この種類のファイルは受け取れません。写真(JPEG・PNG・WebP・HEIC)か、声を送ってください")
_OTHER_FAULT = _("入力した値を確かめてください")


@dataclass(frozen=True, slots=True)
class HubFault:
    happened: str
    todo: str


@dataclass(frozen=True, slots=True)
class ErrorWords:
    happened: str
    data: str
    todo: str


def faults_of(error: Exception) -> dict[str, str]:
    """The fields that are wrong, each with the sentence that says what to do."""
    if isinstance(error, NoScopeKey):
        return {"caller_name": str(_FIELD_FAULTS["no_scope_key"])}
    field = getattr(error, "field", None) or "id"
    if field == "file" or getattr(error, "code", "") in _FILE_FAULTS:
        return {"attachments": file_words(getattr(error, "code", ""))}
    return {field: str(_FIELD_FAULTS.get(field, _OTHER_FAULT))}


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    body: str


_MAIL_MODES: dict[str, Any] = {"drill": _("【訓練】"), "test": _("【試験】")}
_MAIL_SUBJECT = _("参集連絡 %(level)s")
_MAIL_BODY = _("%(name)s さん\n\n%(called)s に、%(level)s の参集をかけました。\n参集場所: %(place)s")
_MAIL_OWN_PLACE = _("所定の場所")
_MAIL_LINK = _(
    "次のページで、参集できるか、あなたと家族の安否を答えてください(ログインは要りません)。"
    "このリンクはあなた専用です。転送しないでください。"
)
_MAIL_NO_LINK = _("参集できるか、あなたと家族の安否を、所属に電話で知らせてください。")
_MAIL_DRILL = _("これは訓練です。実際の災害ではありません。")


def muster_mail(
    *, mode: str, level: str, called: str, name: str, place: str | None, text: str | None, link: str | None
) -> Mail:
    """What a mail of a call-out says to one person. Mails are Japanese, whoever called."""
    words = {"level": level, "called": called, "name": name, "place": place or str(_MAIL_OWN_PLACE)}
    before = str(_MAIL_MODES.get(mode, ""))
    parts = [str(_MAIL_DRILL) if before else "", str(_MAIL_BODY) % words, text or ""]
    parts.append(f"{_MAIL_LINK}\n{link}" if link else str(_MAIL_NO_LINK))
    return Mail(before + str(_MAIL_SUBJECT) % words, "\n\n".join(part for part in parts if part) + "\n")


def no_key() -> str:
    """Why something cannot be sealed here yet."""
    return str(_NO_KEY)


def fault_in(field: str, shown_at: str = "") -> dict[str, str]:
    return {shown_at or field: str(_FIELD_FAULTS.get(field, _OTHER_FAULT))}


def strange_count(total: int, capacity: int | None, before: int | None) -> str:
    """Before a number is taken that a digit too many would make."""
    known = [gettext("定員は%(n)s人", n=f"{capacity:,}")] if capacity else []
    known += [gettext("前回は%(n)s人", n=f"{before:,}")] if before is not None else []
    ask = gettext("%(n)s人で合っていれば、もう一度報告してください", n=f"{total:,}")
    return gettext("、").join([*known, ask])


def too_long(chars: int, chars_max: int) -> str:
    return gettext(
        "長すぎて送れません。%(max)s文字までです(いま%(n)s文字)。書いたものは残っています",
        max=f"{chars_max:,}",
        n=f"{chars:,}",
    )


def enrolment_words(code: str) -> str:
    """Why a device was not let in, and what to do."""
    return str(_ENROLMENT_FAULTS.get(code, _OTHER_ENROLMENT_FAULT))


def file_words(code: str) -> str:
    """Why a photo or a voice memo was not taken in, and what to do."""
    return str(_FILE_FAULTS.get(code, _OTHER_FILE))


def hub_fault(code: str | None) -> HubFault | None:
    """Why the hub is not reached, where it is more than a line that is cut."""
    found = _HUB_FAULTS.get(code or "")
    return HubFault(str(found[0]), str(found[1])) if found else None


def saved_here(node: Any) -> str:
    """What is true at this moment of a record that was just saved."""
    if node.role == "hub":
        return str(SAVED_AT_HUB)
    return str(SAVED_AND_SENDING if node.links.hub()["state"] == "connected" else SAVED_HERE)


def error_words(status: int, code: str = "") -> ErrorWords:
    """What happened, is my data safe, what to do."""
    safe = gettext("保存した記録は失われていません。書きかけは、この端末に残っています。")
    table: dict[int | str, tuple[str, str]] = {
        400: (gettext("この画面は古くなっています"), gettext("前の画面を開き直して、もう一度送ってください。")),
        403: (gettext("この操作は、あなたの役割ではできません"), gettext("管理者か本部の人に頼んでください。")),
        404: (
            gettext("その記録は、この端末にありません"),
            gettext("まだ届いていないか、番号が違います。一覧から開いてください。"),
        ),
        412: (
            gettext("画面を開いたあとで、記録が新しくなりました"),
            gettext("開き直して、いまの値を見てから直してください。"),
        ),
        413: (gettext("送った内容が大きすぎます"), gettext("短くして、もう一度送ってください。")),
        422: (gettext("入力した値を確かめてください"), gettext("前の画面にもどって直してください。")),
        429: (gettext("短い時間に続けて送られました"), gettext("しばらく待ってから、もう一度試してください。")),
        "too_many_rows": (
            gettext("2万行を超える表は、Excelのファイルにできません"),
            gettext("一覧を絞ってから書き出すか、CSVで書き出してください。"),
        ),
        "certificate_needed": (
            gettext("市の証明書が入っていません"),
            gettext("本部の管理者に、このパソコンのための証明書のファイルを頼み、取り込んでから開き直してください。"),
        ),
        "certificate_unknown": (
            gettext("このブラウザーの証明書は、この市のものではありません"),
            gettext("本部の管理者に、この市の証明書のファイルを頼んでください。"),
        ),
        "certificate_ended": (
            gettext("このブラウザーの証明書は、期限が切れています"),
            gettext("本部の管理者に、新しい証明書のファイルを頼んでください。"),
        ),
        "certificate_revoked": (
            gettext("この機械は、本部が使用を止めました"),
            gettext("本部に持って来てください。まだ送っていない記録は取り出せます。"),
        ),
        "read_not_recorded": (
            gettext("開いたことを記録できないので、封をした記録は開けません"),
            gettext("端末の空きを増やすか、管理者に知らせてください。記録できるようになると開けます。"),
        ),
        "replaying": (
            gettext("前の時刻を表示しているあいだは、書き込めません"),
            gettext("「現在に戻る」を押してから、書いてください。"),
        ),
        "not_replayed": (
            gettext("この画面は、前の時刻では表示できません"),
            gettext("最初の画面にもどり、いまの画面で開いてください。"),
        ),
        "not_known_then": (
            gettext("この時刻には、この災害はまだ知られていません"),
            gettext("もっとあとの時刻を選んでください。"),
        ),
        "hub_not_told": (
            gettext("本部がそのとき知っていた内容は、この端末に届いていません"),
            gettext("本部の画面で開くか、この端末が知っていた内容を表示してください。"),
        ),
        503: (gettext("この端末の記録をいま開けません"), gettext("管理者に、下のコードを伝えてください。")),
        "store_full": (
            gettext("この端末の空きがなくなりました"),
            gettext("要らないファイルを消すか、管理者に知らせてください。"),
        ),
    }
    happened, todo = table.get(
        code if code in table else status,
        (gettext("うまくいきませんでした"), gettext("もう一度試し、続くときは管理者に下のコードを伝えてください。")),
    )
    if status == 503 or code == "store_full":
        safe = gettext("すでに保存した記録は失われていません。いま送ろうとしたものは保存されていません。")
    return ErrorWords(happened, safe, todo)
