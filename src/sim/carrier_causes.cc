#include "src/sim/carrier_causes.h"

namespace callbridge::sim {
namespace {

struct Row {
  int code;
  const char* name;
  const char* cause;
  const char* unanswered;  // CallStatus when nobody had picked up.
};

constexpr Row kRows[] = {
    {1000, "Cancelled", "ORIGINATOR_CANCEL", "cancel"},
    {2000, "Invalid Destination Address", "INVALID_NUMBER_FORMAT", "failed"},
    {2060, "Loop Detected", "EXCHANGE_ROUTING_ERROR", "failed"},
    {3000, "No Answer", "NO_ANSWER", "no-answer"},
    {3010, "Busy Line", "USER_BUSY", "busy"},
    {3020, "Rejected", "CALL_REJECTED", "failed"},
    {3050, "Unallocated Number", "UNALLOCATED_NUMBER", "failed"},
    {3080, "Carrier Error", "NETWORK_OUT_OF_ORDER", "failed"},
    {4000, "Normal Hangup", "NORMAL_CLEARING", "cancel"},
    {4010, "End Of XML Instructions", "NORMAL_CLEARING", "completed"},
    {6000, "Scheduled Hangup", "ALLOTTED_TIMEOUT", "timeout"},
    {6010, "Ring Timeout Reached", "NO_ANSWER", "timeout"},
    {7011, "Error Reaching Answer URL", "DESTINATION_OUT_OF_ORDER", "failed"},
    {7012, "Error Reaching Action URL", "DESTINATION_OUT_OF_ORDER", "failed"},
    {7013, "Error Reaching Transfer URL", "DESTINATION_OUT_OF_ORDER", "failed"},
    {7014, "Error Reaching Redirect URL", "DESTINATION_OUT_OF_ORDER", "failed"},
    {8011, "Invalid Answer XML", "DESTINATION_OUT_OF_ORDER", "failed"},
    {8012, "Invalid Action XML", "DESTINATION_OUT_OF_ORDER", "failed"},
    {8013, "Invalid Transfer XML", "DESTINATION_OUT_OF_ORDER", "failed"},
    {8014, "Invalid Redirect XML", "DESTINATION_OUT_OF_ORDER", "failed"},
    {9000, "Lost Race", "LOSE_RACE", "cancel"},
    {9100, "Machine Detected", "NORMAL_CLEARING", "completed"},
    {9110, "Confirm Key Challenge Failed", "CALL_REJECTED", "failed"},
};

}  // namespace

Cause CauseOf(int code, bool answered) {
  for (const Row& row : kRows) {
    if (row.code == code) return {code, row.name, row.cause, answered ? "completed" : row.unanswered};
  }
  return {code, "Unknown", "UNKNOWN", answered ? "completed" : "failed"};
}

}  // namespace callbridge::sim
