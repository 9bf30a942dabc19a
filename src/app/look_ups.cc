#include "src/app/look_ups.h"

#include <string>
#include <utility>

namespace callbridge::app {

void LookUpIn(store::CallStore& store, base::Executor& executor, session::Switchboard::Deps& deps) {
  deps.find_carrier_call = [&](const std::string& call, const std::string& request, auto done) {
    executor.Post([&store, call, request, done = std::move(done)] { done(store.FindCall(call, request)); });
  };
  deps.find_call = [&](const std::string& call_id, auto done) {
    executor.Post([&store, call_id, done = std::move(done)] { done(store.GetCall(call_id)); });
  };
  deps.find_lead = [&](const std::string& phone, auto done) {
    executor.Post([&store, phone, done = std::move(done)] { done(store.FindLead(phone)); });
  };
  deps.list_calls = [&](const store::CallFilter& filter, int limit, auto done) {
    executor.Post(
        [&store, filter, limit, done = std::move(done)] { done(store.ListCalls(filter, absl::nullopt, limit)); });
  };
  deps.find_request = [&](const store::RequestKey& key, auto done) {
    executor.Post([&store, key, done = std::move(done)] { done(store.FindRequest(key)); });
  };
}

}  // namespace callbridge::app
