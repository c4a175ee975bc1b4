// The page's words in Korean and English, and how numbers are written. Knows no page.

const WORDS = {
  en: {
    tagline: "Answers that show where they stand",
    question: "Your question",
    questionHint: "Ask your documents",
    searchHint: "Search your documents",
    doing: "What to do",
    ask: "Ask",
    search: "Search",
    stop: "Stop",
    collection: "Collection",
    by: "Match by",
    byAuto: "Automatic",
    byHybrid: "Words and meaning",
    byWords: "Words (BM25)",
    byTfidf: "Words (TF-IDF)",
    byMeaning: "Meaning",
    keys: "Shift + Enter: new line",
    addFiles: "Add files",
    other: "한국어",
    otherLabel: "한국어로 보기",
    skip: "Skip to the result",
    home: "Saem, start page",
    answer: "Answer",
    ownWords: "In your documents’ own words",
    replaced: "What was written first has been withdrawn.",
    results: "Passages",
    sources: "Sources",
    alsoRead: { one: "One more passage was read", other: "{n} more passages were read" },
    found: "Found so far",
    searching: "Searching",
    reading: { one: "Reading one passage", other: "Reading {n} passages" },
    thinking: "Thinking it through",
    steps: { one: "One step on the way", other: "{n} steps on the way" },
    writing: "Writing",
    seconds: "{n} s",
    ready: { one: "The answer is ready, with one source.", other: "The answer is ready, with {n} sources." },
    readyAbstained: "The documents do not answer this.",
    stopped: "Stopped. What stands here has not been checked against its sources.",
    abstained: "Your documents do not say",
    abstainedNear: "The nearest passages",
    foundIn: { one: "One passage in {ms} ms", other: "{n} passages in {ms} ms" },
    nothing: "No passage matches. Other words may find it.",
    warnings: "Please note",
    source: "Source {n}: {path}, line {at}",
    sourcePage: "Source {n}: {path}, page {at}",
    page: "page {page}",
    sourcePlain: "Source {n}",
    quote: "Quoted passage",
    open: "Open document",
    openAt: "Open {path} at this place",
    whole: "Whole passage",
    less: "Less",
    close: "Close",
    line: "line {n}",
    toQuote: "To the passage",
    document: "Document",
    version: "Version {v}",
    loading: "Opening the document",
    moved: "This document has changed since. The quoted words now stand here.",
    gone: "This document has changed since, and the quoted words are no longer in it.",
    changed: "This document has changed since. The place may be off.",
    error: "That did not work",
    retry: "Try again",
    unreachable: "The service does not answer.",
    unreachableHelp: "See whether `rag serve` is running, then try again.",
    cutOff: "The answer broke off before it was finished.",
    cutOffHelp: "Ask again; the service's log says more.",
    badReply: "The service answered with status {status}.",
    emptyTitle: "Nothing to draw from yet",
    emptyBody: "Give Saem a folder of documents. On the machine where it runs:",
    emptyDrop: "Or drop files anywhere on this page.",
    documents: { one: "1 document", other: "{n} documents" },
    passages: { one: "1 passage", other: "{n} passages" },
    outstanding: { one: "1 not yet found by meaning", other: "{n} not yet found by meaning" },
    drop: "Let go to add to “{name}”",
    dropPlain: "Let go to add",
    uploading: { one: "Adding one file", other: "Adding file {i} of {n}" },
    uploaded: { one: "One file added", other: "{n} files added" },
    uploadedNone: "No file was added",
    failed: { one: "one failed", other: "{n} failed" },
    added: "added",
    notAdded: "not added",
    noFiles: "There are no files in what you dropped.",
    voteAnswer: "Was this answer helpful?",
    votePassage: "Was this passage of {path} helpful?",
    voteUp: "Helpful",
    voteDown: "Not helpful",
    voteFailed: "The vote was not kept: {why}",
  },
  ko: {
    tagline: "어디에 쓰여 있는지 보여 주는 답",
    question: "질문",
    questionHint: "문서에 물어보세요",
    searchHint: "문서에서 찾아보세요",
    doing: "할 일",
    ask: "질문",
    search: "검색",
    stop: "중지",
    collection: "컬렉션",
    by: "찾는 방법",
    byAuto: "자동",
    byHybrid: "낱말과 뜻",
    byWords: "낱말 (BM25)",
    byTfidf: "낱말 (TF-IDF)",
    byMeaning: "뜻",
    keys: "Shift + Enter: 줄 바꿈",
    addFiles: "파일 추가",
    other: "English",
    otherLabel: "View in English",
    skip: "결과로 건너뛰기",
    home: "샘, 첫 화면",
    answer: "답변",
    ownWords: "문서에 쓰인 그대로",
    replaced: "처음에 쓴 글은 거두어들였습니다.",
    results: "찾은 구절",
    sources: "출처",
    alsoRead: "함께 읽은 구절 {n}개",
    found: "지금까지 찾은 구절",
    searching: "찾는 중",
    reading: "구절 {n}개를 읽는 중",
    thinking: "차근차근 따져 보는 중",
    steps: "답에 이르기까지 {n}단계",
    writing: "쓰는 중",
    seconds: "{n}초",
    ready: "답변이 준비되었습니다. 출처 {n}개.",
    readyAbstained: "문서에서 답을 찾지 못했습니다.",
    stopped: "중지했습니다. 여기까지의 글은 출처와 대조하지 않았습니다.",
    abstained: "문서에는 답이 없습니다",
    abstainedNear: "가장 가까운 구절",
    foundIn: "구절 {n}개, {ms}ms",
    nothing: "맞는 구절이 없습니다. 다른 낱말로 찾아보세요.",
    warnings: "알아 두세요",
    source: "출처 {n}: {path} {at}행",
    sourcePage: "출처 {n}: {path} {at}쪽",
    page: "{page}쪽",
    sourcePlain: "출처 {n}",
    quote: "인용한 구절",
    open: "문서 열기",
    openAt: "{path} 문서를 이 자리에서 열기",
    whole: "구절 모두 보기",
    less: "줄이기",
    close: "닫기",
    line: "{n}행",
    toQuote: "인용한 자리로",
    document: "문서",
    version: "버전 {v}",
    loading: "문서를 여는 중",
    moved: "그사이 문서가 바뀌었습니다. 인용한 문장은 지금 이 자리에 있습니다.",
    gone: "그사이 문서가 바뀌어 인용한 문장이 더는 없습니다.",
    changed: "그사이 문서가 바뀌었습니다. 자리가 어긋날 수 있습니다.",
    error: "처리하지 못했습니다",
    retry: "다시 시도",
    unreachable: "서비스가 응답하지 않습니다.",
    unreachableHelp: "`rag serve`가 실행 중인지 확인하고 다시 시도하세요.",
    cutOff: "답변이 끝나기 전에 끊겼습니다.",
    cutOffHelp: "다시 물어보세요. 까닭은 서비스 기록에 있습니다.",
    badReply: "서비스가 상태 코드 {status}로 응답했습니다.",
    emptyTitle: "아직 길어 올릴 문서가 없습니다",
    emptyBody: "문서 폴더를 샘에 넣어 주세요. 샘이 실행되는 컴퓨터에서:",
    emptyDrop: "또는 이 화면 아무 데나 파일을 끌어다 놓으세요.",
    documents: "문서 {n}개",
    passages: "구절 {n}개",
    outstanding: "뜻으로는 아직 못 찾는 구절 {n}개",
    drop: "놓으면 ‘{name}’에 추가됩니다",
    dropPlain: "놓으면 추가됩니다",
    uploading: "파일 {n}개 가운데 {i}번째를 추가하는 중",
    uploaded: "파일 {n}개를 추가했습니다",
    uploadedNone: "추가한 파일이 없습니다",
    failed: "{n}개 실패",
    added: "추가됨",
    notAdded: "추가하지 못함",
    noFiles: "끌어다 놓은 것에 파일이 없습니다.",
    voteAnswer: "이 답변이 도움이 되었나요?",
    votePassage: "{path}의 이 구절이 도움이 되었나요?",
    voteUp: "도움이 됨",
    voteDown: "도움이 안 됨",
    voteFailed: "평가를 남기지 못했습니다: {why}",
  },
};

const KEPT = "saem.language";

function remembered() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

let current = remembered() ?? (navigator.language || "en").slice(0, 2).toLowerCase();
if (!(current in WORDS)) current = "en";

export const language = () => current;

export function switchLanguage() {
  current = current === "ko" ? "en" : "ko";
  try {
    localStorage.setItem(KEPT, current);
  } catch {
    // not remembered, still switched
  }
}

export const count = (n) => new Intl.NumberFormat(current).format(n);

// The words for `key`; `{name}` is filled from `values`, and `n` chooses between one and other.
export function t(key, values = {}) {
  let words = WORDS[current][key];
  if (typeof words === "object") words = words[values.n === 1 ? "one" : "other"];
  return words.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? count(value) : String(value ?? "");
  });
}

// Writes the words into every element that asks for them: text, label, placeholder or title.
// What follows a path: the page where a document has pages, else the line.
export const at = ({ page, line }) => (page ? `, ${t("page", { page })}` : line ? `:${line}` : "");

export function translate(root) {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
}

// "ko" when a text is mostly written in Hangul, so that it is read aloud and broken well.
export function writtenIn(text) {
  const sample = text.slice(0, 2000);
  const hangul = (sample.match(/[가-힣]/g) ?? []).length;
  const latin = (sample.match(/[A-Za-z]/g) ?? []).length;
  return hangul * 2 > latin ? (hangul ? "ko" : "") : "en";
}
