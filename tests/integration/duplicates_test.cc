// A thousand StartCalls at once with one request_id: one call, one phone that rings.
//
// CALLBRIDGE_DUPLICATES: how many; 1,000 unless set.

#include <stdlib.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "src/client/client.h"
#include "tests/integration/bridge_and_world.h"

namespace callbridge::testing {
namespace {

constexpr int kThreads = 50;
constexpr char kNobody[] = "call: outbound\nto: 14155550177\npickup: no answer\n[person]\nhang up\n";

int Duplicates() {
  int count = 0;
  const char* const text = getenv("CALLBRIDGE_DUPLICATES");
  return text != nullptr && absl::SimpleAtoi(text, &count) && count >= kThreads ? count : 1'000;
}

TEST(Duplicates, OfOneStartCallDialOnce) {
  BridgeAndWorld both;
  both.world().carrier().RegisterPhone(*both.world().Read(kNobody, "test"));
  v1::StartCallRequest request;
  request.set_request_id(base::NewUuid());
  request.mutable_call()->set_to("+14155550177");
  client::ClientOptions options;
  options.address = absl::StrCat("127.0.0.1:", both.grpc_port());
  options.plaintext = true;

  const int each = Duplicates() / kThreads;
  std::vector<std::set<std::string>> answers(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      client::Client client(options);
      for (int k = 0; k < each; ++k) {
        const auto answer = client.Ask(&client::Calls::StartCall, request);
        answers[i].insert(answer.ok() ? answer->call().name() : answer.status().ToString());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<std::string> names;
  for (const auto& some : answers) names.insert(some.begin(), some.end());
  EXPECT_THAT(names, ::testing::SizeIs(1));
  const auto rows = both.Query("SELECT 'calls/' || id FROM call_logs");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(names, ::testing::ElementsAre(rows[0][0]));
  EXPECT_TRUE(BridgeAndWorld::WaitFor([&] { return !both.world().carrier().Calls().empty(); }));
  v1::EndCallRequest end;
  end.set_call(rows[0][0]);
  EXPECT_TRUE(client::Client(options).Ask(&client::Calls::EndCall, end).ok());
  EXPECT_TRUE(both.WaitForEnd(rows[0][0].substr(6)));
  EXPECT_EQ(both.world().carrier().Calls().size(), 1u);
  EXPECT_THAT(both.Faults(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace callbridge::testing
