#include "src/plivo/hangup_cause.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

TEST(HangupCauseTest, EveryDocumentedCodeHasNameAndClass) {
  using C = CauseClass;
  const struct {
    int code;
    const char* name;
    CauseClass cause_class;
  } rows[] = {
      {0, "Unknown", C::kUnknown},
      {1000, "Canceled", C::kCanceled},
      {1010, "Canceled (Out Of Credits)", C::kCarrierFailed},
      {1020, "Canceled (Simultaneous Dial Limit Reached)", C::kCarrierFailed},
      {2000, "Invalid Destination Address", C::kInvalidNumber},
      {2010, "Destination Out Of Service", C::kInvalidNumber},
      {2020, "Endpoint Not Registered", C::kInvalidNumber},
      {2030, "Destination Country Barred", C::kCarrierFailed},
      {2040, "Destination Number Barred", C::kCarrierFailed},
      {2050, "Destination Prefix Barred", C::kCarrierFailed},
      {2060, "Loop Detected", C::kCarrierFailed},
      {2070, "Violates Media Anchoring", C::kCarrierFailed},
      {3000, "No Answer", C::kNoAnswer},
      {3010, "Busy Line", C::kBusy},
      {3020, "Rejected", C::kRejected},
      {3030, "Unknown Caller ID", C::kCarrierFailed},
      {3040, "Forbidden", C::kCarrierFailed},
      {3050, "Unallocated Number", C::kInvalidNumber},
      {3070, "Request Timeout", C::kCarrierFailed},
      {3080, "Carrier-side Error", C::kCarrierFailed},
      {3090, "Network Congestion", C::kCarrierFailed},
      {3100, "Busy Everywhere", C::kBusy},
      {3110, "Declined", C::kRejected},
      {3120, "User Does Not Exist Anywhere", C::kInvalidNumber},
      {3130, "Blocked As Spam", C::kRejected},
      {3140, "Caller ID On Do-not-originate List", C::kCarrierFailed},
      {4000, "Normal Hangup", C::kNormal},
      {4010, "End Of XML Instructions", C::kOurXmlRanOut},
      {4020, "Multiparty Call Ended", C::kNormal},
      {4030, "Kicked Out", C::kNormal},
      {4210, "SIP Authentication Failed", C::kCarrierFailed},
      {4240, "SIP Authentication Failed", C::kCarrierFailed},
      {4250, "SIP Authentication Timeout", C::kCarrierFailed},
      {5000, "Network Error", C::kCarrierFailed},
      {5010, "Internal Error", C::kCarrierFailed},
      {5020, "Routing Error", C::kCarrierFailed},
      {5030, "Concurrency Limit Breached", C::kCarrierFailed},
      {6000, "Scheduled Hangup", C::kNormal},
      {6010, "Ring Timeout Reached", C::kNoAnswer},
      {6020, "Media Timeout", C::kCarrierFailed},
      {7011, "Error Reaching Answer URL", C::kOurServerFault},
      {7012, "Error Reaching Action URL", C::kOurServerFault},
      {7013, "Error Reaching Transfer URL", C::kOurServerFault},
      {7014, "Error Reaching Redirect URL", C::kOurServerFault},
      {7022, "Invalid Action URL", C::kOurServerFault},
      {7023, "Invalid Transfer URL", C::kOurServerFault},
      {7024, "Invalid Redirect URL", C::kOurServerFault},
      {7032, "Invalid Method For Action URL", C::kOurServerFault},
      {7033, "Invalid Method For Transfer URL", C::kOurServerFault},
      {7034, "Invalid Method For Redirect URL", C::kOurServerFault},
      {8011, "Invalid Answer XML", C::kOurServerFault},
      {8012, "Invalid Action XML", C::kOurServerFault},
      {8013, "Invalid Transfer XML", C::kOurServerFault},
      {8014, "Invalid Redirect XML", C::kOurServerFault},
      {9000, "Lost Race", C::kCanceled},
      {9100, "Machine Detected", C::kMachine},
      {9110, "Confirm Key Challenge Failed", C::kRejected},
  };
  for (const auto& row : rows) {
    const HangupCause cause = LookUpHangupCause(row.code);
    EXPECT_EQ(cause.code, row.code);
    EXPECT_EQ(cause.name, row.name) << row.code;
    EXPECT_EQ(cause.cause_class, row.cause_class) << row.code;
  }
}

TEST(HangupCauseTest, CodesOutsideTheTable) {
  for (const int code : {-1, 1, 999, 3001, 4001, 6999, 9999, 2147483647}) {
    EXPECT_EQ(LookUpHangupCause(code).cause_class, CauseClass::kUnknown) << code;
    EXPECT_EQ(LookUpHangupCause(code).name, "Unknown");
    EXPECT_EQ(LookUpHangupCause(code).code, code);
  }
  for (const int code : {7000, 7099, 8000, 8999}) {
    EXPECT_EQ(LookUpHangupCause(code).cause_class, CauseClass::kOurServerFault) << code;
  }
}

TEST(HangupCauseTest, CallStatus) {
  EXPECT_EQ(ParseCallStatus("ringing"), CallStatus::kRinging);
  EXPECT_EQ(ParseCallStatus("in-progress"), CallStatus::kInProgress);
  EXPECT_EQ(ParseCallStatus("In_Progress"), CallStatus::kInProgress);
  EXPECT_EQ(ParseCallStatus(" COMPLETED "), CallStatus::kCompleted);
  EXPECT_EQ(ParseCallStatus("busy"), CallStatus::kBusy);
  EXPECT_EQ(ParseCallStatus("failed"), CallStatus::kFailed);
  EXPECT_EQ(ParseCallStatus("timeout"), CallStatus::kTimeout);
  EXPECT_EQ(ParseCallStatus("no-answer"), CallStatus::kNoAnswer);
  EXPECT_EQ(ParseCallStatus("cancel"), CallStatus::kCancel);
  EXPECT_EQ(ParseCallStatus("cancelled"), CallStatus::kCancel);
  EXPECT_EQ(ParseCallStatus(""), CallStatus::kUnknown);
  EXPECT_EQ(ParseCallStatus("in progress now"), CallStatus::kUnknown);
}

TEST(HangupCauseTest, WhichStatusIsOver) {
  for (const char* text : {"completed", "busy", "failed", "timeout", "no-answer", "cancel"}) {
    EXPECT_TRUE(IsOver(ParseCallStatus(text))) << text;
  }
  for (const char* text : {"ringing", "in-progress", "", "new-word"})
    EXPECT_FALSE(IsOver(ParseCallStatus(text))) << text;
}

TEST(HangupCauseTest, DialStatus) {
  EXPECT_EQ(ParseDialStatus("completed"), DialStatus::kCompleted);
  EXPECT_EQ(ParseDialStatus("Busy"), DialStatus::kBusy);
  EXPECT_EQ(ParseDialStatus("failed"), DialStatus::kFailed);
  EXPECT_EQ(ParseDialStatus("cancel"), DialStatus::kCancel);
  EXPECT_EQ(ParseDialStatus("timeout"), DialStatus::kTimeout);
  EXPECT_EQ(ParseDialStatus("no-answer"), DialStatus::kNoAnswer);
  EXPECT_EQ(ParseDialStatus("NO ANSWER"), DialStatus::kNoAnswer);
  EXPECT_EQ(ParseDialStatus("ringing"), DialStatus::kUnknown);
}

TEST(HangupCauseTest, HangupSource) {
  EXPECT_EQ(ParseHangupSource("Caller"), HangupSource::kCaller);
  EXPECT_EQ(ParseHangupSource("Callee"), HangupSource::kCallee);
  EXPECT_EQ(ParseHangupSource("Call recipient"), HangupSource::kCallee);
  EXPECT_EQ(ParseHangupSource("plivo"), HangupSource::kPlivo);
  EXPECT_EQ(ParseHangupSource("Carrier"), HangupSource::kCarrier);
  EXPECT_EQ(ParseHangupSource("API Request"), HangupSource::kApiRequest);
  EXPECT_EQ(ParseHangupSource("api_request"), HangupSource::kApiRequest);
  EXPECT_EQ(ParseHangupSource("Answer XML"), HangupSource::kAnswerXml);
  EXPECT_EQ(ParseHangupSource("Error"), HangupSource::kError);
  EXPECT_EQ(ParseHangupSource("Unknown"), HangupSource::kUnknown);
  EXPECT_EQ(ParseHangupSource("Somebody"), HangupSource::kUnknown);
}

TEST(HangupCauseTest, NamesAreDistinctAndReadBack) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(CauseClass::kUnknown); ++i)
    names.insert(std::string(Name(static_cast<CauseClass>(i))));
  EXPECT_EQ(names.size(), static_cast<size_t>(CauseClass::kUnknown) + 1);
  for (int i = 0; i <= static_cast<int>(CallStatus::kCancel); ++i) {
    const auto value = static_cast<CallStatus>(i);
    EXPECT_EQ(ParseCallStatus(Name(value)), value);
  }
  for (int i = 0; i <= static_cast<int>(DialStatus::kNoAnswer); ++i) {
    const auto value = static_cast<DialStatus>(i);
    EXPECT_EQ(ParseDialStatus(Name(value)), value);
  }
  for (int i = 0; i <= static_cast<int>(HangupSource::kError); ++i) {
    const auto value = static_cast<HangupSource>(i);
    EXPECT_EQ(ParseHangupSource(Name(value)), value);
  }
}

}  // namespace
}  // namespace callbridge::plivo
