#include "src/plivo/signature.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

using Fields = Form::Fields;

constexpr char kToken[] = "ZmFrZS1hdXRoLXRva2VuLWZvci10ZXN0cy0wMDAx";
constexpr char kNonce[] = "05429567804466091622";
constexpr char kHost[] = "https://bridge.example.com";
constexpr char kCall[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";
constexpr char kSignature1[] = "eYXbVoMjtRdaTIKynbJeD49ukZvoE5BoxwEfHbN59HQ=";

// Not in signing order: sorting is part of what is tested.
Fields AnswerFields() {
  return {{"To", "14155550199"},
          {"From", "14155550100"},
          {"STIRVerification", "Not Applicable"},
          {"SessionStart", "2026-11-22 10:15:30.123456"},
          {"ParentAuthID", "MAXXXXXXXXXXXXXXXXXX"},
          {"Event", "StartApp"},
          {"Direction", "inbound"},
          {"CallerName", "+14155550100"},
          {"CallUUID", kCall},
          {"CallStatus", "ringing"},
          {"BillRate", "0.0055"}};
}

// Published in the tests of Plivo's Go SDK.
constexpr char kPlivoToken[] = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4";
constexpr char kPlivoNonce[] = "31627761595286130198";
constexpr char kPlivoUrl[] = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";
Fields PlivoFields() {
  const std::string uuid = "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36";
  return {{"Direction", "outbound"},
          {"From", "19792014278"},
          {"CallStatus", "in-progress"},
          {"BillRate", "0.002"},
          {"ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"},
          {"Event", "StartApp"},
          {"SessionStart", "2020-04-08 11:34:33.238707"},
          {"To", "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com"},
          {"SIP-H-To", "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1"},
          {"ALegUUID", uuid},
          {"ALegRequestUUID", uuid},
          {"CallUUID", uuid},
          {"RequestUUID", uuid}};
}

struct Vector {
  const char* name;
  const char* method;
  std::string url;
  Fields body;
  const char* token;
  const char* nonce;
  const char* signature;
};

std::vector<Vector> Vectors() {
  const std::string host = kHost;
  const std::string plivo = kPlivoUrl;
  return {
      {"post_without_query", "POST", host + "/plivo/answer", AnswerFields(), kToken, kNonce, kSignature1},
      {"post_with_query", "POST", host + "/plivo/answer?tenant=acme&a=1", AnswerFields(), kToken, kNonce,
       "fPLhclre0H4FSSSKAABS4ny4MdBDiDo0n6P6frVbDhk="},
      {"get_with_query",
       "GET",
       absl::StrCat(host, "/plivo/answer?tenant=acme&CallUUID=", kCall,
                    "&From=14155550100&To=14155550199&Event=StartApp"),
       {},
       kToken,
       kNonce,
       "jTsQH6b1yTlj4cBw3da8lPUOjMk92CAL7hsMsr/As7g="},
      {"upgrade_wss",
       "GET",
       absl::StrCat("wss://bridge.example.com/plivo/stream/", kCall),
       {},
       kToken,
       kNonce,
       "XxHvlww+S7gjf1cqq5gM+zA05Z0pbNXMT2TVpexO6Dc="},
      {"upgrade_https",
       "GET",
       absl::StrCat(host, "/plivo/stream/", kCall),
       {},
       kToken,
       kNonce,
       "435APEM/a5aG1IyrKB0z8/mXwwrtecGBc96WA3zupkw="},
      {"port_and_escapes",
       "GET",
       "wss://bridge.example.com:8443/plivo/stream?token=a%2Bb%3D%3D&call=1",
       {},
       kToken,
       kNonce,
       "vadSvN3GGvXIX7oiybRWsQVRhgfZD4UFLSayuNSDnNE="},
      {"utf8_and_empty_value",
       "POST",
       host + "/plivo/hangup?x=J%C3%BCrgen%20M",
       {{"CallerName", "Zo\xC3\xAB & Co."}, {"From", "+14155550100"}, {"Digits", ""}},
       kToken,
       kNonce,
       "6AB8qihhotlNx2iPMpuuDP+SV7C2yCzDSN84eLdrxss="},
      {"post_without_params",
       "POST",
       host + "/plivo/hangup",
       {},
       kToken,
       kNonce,
       "+3u2JCsX9FBR02RVaCe1dbK7bKe3HDmAnAbaVA9t2YY="},
      {"published_post_query", "POST", plivo + "/?a=b&c=d", PlivoFields(), kPlivoToken, kPlivoNonce,
       "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c="},
      {"published_get_merged", "GET", plivo + "/?a=b&c=d", PlivoFields(), kPlivoToken, kPlivoNonce,
       "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ="},
      {"published_post", "POST", plivo, PlivoFields(), kPlivoToken, kPlivoNonce,
       "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0="},
      {"published_get", "GET", plivo, PlivoFields(), kPlivoToken, kPlivoNonce,
       "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc="},
  };
}

TEST(SignatureTest, KnownVectorsAreSignedAndAccepted) {
  for (const Vector& vector : Vectors()) {
    SCOPED_TRACE(vector.name);
    const Form body(vector.body);
    const SignedRequest request{vector.method, vector.url, &body};
    const auto signature = SignV3(request, vector.nonce, vector.token);
    ASSERT_TRUE(signature.ok()) << signature.status();
    EXPECT_EQ(*signature, vector.signature);
    EXPECT_TRUE(VerifyV3(request, {vector.signature, "", vector.nonce}, vector.token).ok());
  }
}

// Whatever is changed in a request, its signature no longer fits.
TEST(SignatureTest, ChangedVectorsAreRefused) {
  for (const Vector& vector : Vectors()) {
    SCOPED_TRACE(vector.name);
    const SignatureHeaders headers{vector.signature, "", vector.nonce};
    const Form body(vector.body);
    const auto code = [&](absl::string_view method, const std::string& url, const Form& form,
                          const SignatureHeaders& sent, absl::string_view token) {
      return VerifyV3({method, url, &form}, sent, token).status().code();
    };
    constexpr auto kRefused = absl::StatusCode::kUnauthenticated;
    EXPECT_EQ(code(vector.method, vector.url, body, headers, absl::StrCat(vector.token, "x")), kRefused) << "token";
    EXPECT_EQ(code(vector.method, vector.url + "x", body, headers, vector.token), kRefused) << "URL";
    EXPECT_EQ(code(vector.method, vector.url, body, {vector.signature, "", "1"}, vector.token), kRefused) << "nonce";
    Fields added = vector.body;
    added.emplace_back("Extra", "1");
    EXPECT_EQ(code(vector.method, vector.url, Form(added), headers, vector.token), kRefused) << "added field";
    for (size_t i = 0; i < vector.body.size(); ++i) {
      Fields changed = vector.body;
      changed[i].second += "0";
      EXPECT_EQ(code(vector.method, vector.url, Form(changed), headers, vector.token), kRefused) << changed[i].first;
    }
  }
}

struct TextRow {
  const char* name;
  const char* method;
  const char* url;
  Fields body;
  const char* text;
};

TEST(SignatureTest, SigningText) {
  const std::vector<TextRow> rows = {
      {"default_https_port_stays", "GET", "https://h:443/p", {}, "https://h:443/p"},
      {"default_http_port_stays", "GET", "http://h:80/p", {}, "http://h:80/p"},
      {"host_case_stays", "GET", "https://Host.Example/p", {}, "https://Host.Example/p"},
      {"user_info_is_dropped", "GET", "https://user:pa%40ss@h/p", {}, "https://h/p"},
      {"at_sign_in_the_path_is_no_user_info", "GET", "https://h/a@b", {}, "https://h/a@b"},
      {"fragment_is_dropped", "GET", "https://h/p?a=1#ct=2000&rt=5000", {}, "https://h/p?a=1"},
      {"fragment_without_query", "POST", "https://h/p#rc=2", {{"K", "v"}}, "https://h/p?Kv"},
      {"path_stays_encoded", "GET", "https://h/p%20q/", {}, "https://h/p%20q/"},
      {"no_path", "GET", "https://h", {}, "https://h"},
      {"root_path", "GET", "https://h/", {}, "https://h/"},
      {"query_without_path", "GET", "https://h?b=2&a=1", {}, "https://h?a=1&b=2"},
      {"query_is_decoded", "GET", "https://h/p?q=a+b&r=a%2Bb", {}, "https://h/p?q=a b&r=a+b"},
      {"trailing_mark_vanishes_on_get", "GET", "https://h/p?", {}, "https://h/p"},
      {"trailing_mark_vanishes_on_empty_post", "POST", "https://h/p?", {}, "https://h/p"},
      {"flag_gets_an_equals_sign", "GET", "https://h/p?flag", {}, "https://h/p?flag="},
      {"repeated_query_keys_by_value", "GET", "https://h/p?k=b&k=a", {}, "https://h/p?k=a&k=b"},
      {"repeated_body_keys_by_value", "POST", "https://h/p", {{"K", "b"}, {"K", "a"}}, "https://h/p?KaKb"},
      {"upper_case_first", "POST", "https://h/p", {{"a", "3"}, {"Z", "2"}, {"A", "1"}}, "https://h/p?A1Z2a3"},
      {"carrier_names_by_byte",
       "POST",
       "https://h/p",
       {{"CallerName", "n"}, {"CallUUID", "u"}},
       "https://h/p?CallUUIDuCallerNamen"},
      {"empty_value_counts", "POST", "https://h/p", {{"Digits", ""}}, "https://h/p?Digits"},
      {"empty_post_keeps_its_query", "POST", "https://h/p?b=2&a=1", {}, "https://h/p?a=1&b=2"},
      {"query_then_dot_then_body", "POST", "https://h/p?a=1", {{"B", "2"}}, "https://h/p?a=1.B2"},
      {"get_params_join_the_query", "GET", "https://h/p?m=1", {{"Z", "3"}, {"a", "2"}}, "https://h/p?Z=3&a=2&m=1"},
      {"empty_pieces_are_skipped", "GET", "https://h/p?&a=1&&b=2&", {}, "https://h/p?a=1&b=2"},
      {"second_mark_belongs_to_the_query", "GET", "https://h/p?a=?b", {}, "https://h/p?a=?b"},
  };
  for (const TextRow& row : rows) {
    SCOPED_TRACE(row.name);
    const Form body(row.body);
    const auto text = SigningText({row.method, row.url, &body});
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, row.text);
  }
}

TEST(SignatureTest, WhatCannotBeSignedIsInvalid) {
  const struct {
    const char* name;
    const char* method;
    const char* url;
  } rows[] = {
      {"put", "PUT", "https://h/p"},
      {"lower_case_method", "get", "https://h/p"},
      {"no_method", "", "https://h/p"},
      {"no_scheme", "GET", "h/p"},
      {"empty_scheme", "GET", "://h/p"},
      {"no_host", "GET", "https:///p"},
      {"empty_url", "GET", ""},
      {"only_user_info", "GET", "https://u@/p"},
      {"bad_escape", "GET", "https://h/p?a=%zz"},
      {"scheme_in_query", "GET", "/p?https://h"},
  };
  for (const auto& row : rows) {
    EXPECT_TRUE(absl::IsInvalidArgument(SigningText({row.method, row.url, nullptr}).status())) << row.name;
  }
}

// Signature 1 in headers of all shapes.
TEST(SignatureTest, Headers) {
  const std::string one = kSignature1;
  std::string flood;
  for (int i = 0; i < 16; ++i) flood += "AAAA,";
  const struct {
    const char* name;
    std::string v3;
    std::string ma_v3;
    std::string nonce;
    bool accepted;
    bool main_account;
  } rows[] = {
      {"plain", one, "", kNonce, true, false},
      {"in_a_list", "AAAA," + one + ",BBBB", "", kNonce, true, false},
      {"list_with_spaces", "AAAA , " + one + " , BBBB", "", kNonce, true, false},
      {"last_in_a_list", "AAAA," + one, "", kNonce, true, false},
      {"main_account", "", one, kNonce, true, true},
      {"main_account_in_a_list", "AAAA", "BBBB," + one, kNonce, true, true},
      {"both", one, one, kNonce, true, false},
      {"missing_nonce", one, "", "", false, false},
      {"missing_signature", "", "", kNonce, false, false},
      {"other_signature", "AAAA", "", kNonce, false, false},
      {"empty_list", ",,,", "", kNonce, false, false},
      {"only_spaces", "   ", " ", kNonce, false, false},
      {"cut_short", one.substr(0, one.size() - 1), "", kNonce, false, false},
      {"too_long_by_one", one + "=", "", kNonce, false, false},
      {"first_letter_kept", "e" + one.substr(1), "", kNonce, true, false},
      {"first_letter_changed", "E" + one.substr(1), "", kNonce, false, false},
      {"semicolons_do_not_separate", "AAAA;" + one, "", kNonce, false, false},
      {"signed_with_version_2", "MnoV3MJJltqAQRwuT8ee2jOS1jPiaGeVX//+ssek8g4=", "", kNonce, false, false},
      {"flood_before", flood + one, "", kNonce, false, false},
      {"huge_header", std::string(5000, ',') + one, "", kNonce, false, false},
      {"huge_nonce", one, "", std::string(5000, '1'), false, false},
  };
  const Form body(AnswerFields());
  const std::string url = absl::StrCat(kHost, "/plivo/answer");
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto match = VerifyV3({"POST", url, &body}, {row.v3, row.ma_v3, row.nonce}, kToken);
    EXPECT_EQ(match.ok(), row.accepted);
    if (match.ok()) {
      EXPECT_EQ(match->main_account, row.main_account);
      EXPECT_EQ(match->scheme, "https");
    } else {
      EXPECT_TRUE(absl::IsUnauthenticated(match.status())) << match.status();
    }
  }
}

TEST(SignatureTest, MessagesNameWhatIsMissing) {
  const SignedRequest request{"GET", "https://h/p", nullptr};
  EXPECT_TRUE(absl::StrContains(VerifyV3(request, {"a", "", ""}, kToken).status().message(), kSignatureV3NonceHeader));
  EXPECT_TRUE(absl::StrContains(VerifyV3(request, {"", "", "1"}, kToken).status().message(), kSignatureV3Header));
}

TEST(SignatureTest, AnEmptyTokenNeverVerifies) {
  const SignedRequest request{"GET", "https://h/p", nullptr};
  const auto forged = SignV3(request, "1", "");
  ASSERT_TRUE(forged.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(VerifyV3(request, {*forged, "", "1"}, "").status()));
}

TEST(SignatureTest, UpgradesAreTriedWithEverySchemeInOrder) {
  const std::string target = absl::StrCat("/plivo/stream/", kCall);
  const auto wss = VerifyUpgradeV3(kHost, target, {"XxHvlww+S7gjf1cqq5gM+zA05Z0pbNXMT2TVpexO6Dc=", "", kNonce}, kToken);
  ASSERT_TRUE(wss.ok()) << wss.status();
  EXPECT_EQ(wss->scheme, "wss");
  const auto https =
      VerifyUpgradeV3(kHost, target, {"", "435APEM/a5aG1IyrKB0z8/mXwwrtecGBc96WA3zupkw=", kNonce}, kToken);
  ASSERT_TRUE(https.ok()) << https.status();
  EXPECT_EQ(https->scheme, "https");
  EXPECT_TRUE(https->main_account);
  for (const char* scheme : {"ws", "http"}) {
    const std::string url = absl::StrCat(scheme, "://bridge.example.com", target);
    const auto signature = SignV3({"GET", url, nullptr}, kNonce, kToken);
    const auto match = VerifyUpgradeV3(kHost, target, {*signature, "", kNonce}, kToken);
    ASSERT_TRUE(match.ok()) << match.status();
    EXPECT_EQ(match->scheme, scheme);
  }
}

TEST(SignatureTest, UpgradesWithoutAFittingSignatureAreRefused) {
  const std::string target = absl::StrCat("/plivo/stream/", kCall);
  const SignatureHeaders good{"XxHvlww+S7gjf1cqq5gM+zA05Z0pbNXMT2TVpexO6Dc=", "", kNonce};
  EXPECT_TRUE(absl::IsUnauthenticated(VerifyUpgradeV3(kHost, target + "?a=1", good, kToken).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(VerifyUpgradeV3("https://other.example.com", target, good, kToken).status()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(VerifyUpgradeV3("https://bridge.example.com:8443", target, good, kToken).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(VerifyUpgradeV3(kHost, target, {"", "", kNonce}, kToken).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(VerifyUpgradeV3("bridge.example.com", target, good, kToken).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(VerifyUpgradeV3(kHost, "/p?a=%", good, kToken).status()));
}

TEST(SignatureTest, PublicUrlHasOneSlashBetweenItsParts) {
  EXPECT_EQ(PublicUrl("https://h", "/p?a=1"), "https://h/p?a=1");
  EXPECT_EQ(PublicUrl("https://h/", "/p"), "https://h/p");
  EXPECT_EQ(PublicUrl("https://h/base/", "/p"), "https://h/base/p");
}

}  // namespace
}  // namespace callbridge::plivo
