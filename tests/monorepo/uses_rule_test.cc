#include <cstdio>

#include "house/greeting/v1/greeting.grpc.pb.h"
#include "house/types/v1/types.pb.h"

int main() {
  house::greeting::v1::GreetRequest request;
  request.mutable_person()->set_name("Ada");
  std::puts(house::greeting::v1::GreetingService::service_full_name());
  return request.ByteSizeLong() == 7 ? 0 : 1;
}
