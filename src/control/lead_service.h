#ifndef CALLBRIDGE_SRC_CONTROL_LEAD_SERVICE_H_
#define CALLBRIDGE_SRC_CONTROL_LEAD_SERVICE_H_

#include "callbridge/v1/lead_service.grpc.pb.h"
#include "src/control/handle.h"

namespace callbridge::control {

// People, on gRPC. All of it is in the store. Never blocks; the store is read and written on its executor.
class LeadService final : public v1::LeadService::CallbackService {
 public:
  explicit LeadService(const StoreDesk& desk) : desk_(desk) {}

  grpc::ServerUnaryReactor* CreateLead(grpc::CallbackServerContext* context, const v1::CreateLeadRequest* request,
                                       v1::CreateLeadResponse* response) override;
  grpc::ServerUnaryReactor* GetLead(grpc::CallbackServerContext* context, const v1::GetLeadRequest* request,
                                    v1::GetLeadResponse* response) override;
  grpc::ServerUnaryReactor* LookupLead(grpc::CallbackServerContext* context, const v1::LookupLeadRequest* request,
                                       v1::LookupLeadResponse* response) override;
  grpc::ServerUnaryReactor* ListLeads(grpc::CallbackServerContext* context, const v1::ListLeadsRequest* request,
                                      v1::ListLeadsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateLead(grpc::CallbackServerContext* context, const v1::UpdateLeadRequest* request,
                                       v1::UpdateLeadResponse* response) override;
  grpc::ServerUnaryReactor* SuppressLead(grpc::CallbackServerContext* context, const v1::SuppressLeadRequest* request,
                                         v1::SuppressLeadResponse* response) override;
  grpc::ServerUnaryReactor* UnsuppressLead(grpc::CallbackServerContext* context,
                                           const v1::UnsuppressLeadRequest* request,
                                           v1::UnsuppressLeadResponse* response) override;
  grpc::ServerUnaryReactor* EraseLead(grpc::CallbackServerContext* context, const v1::EraseLeadRequest* request,
                                      v1::EraseLeadResponse* response) override;

 private:
  const StoreDesk desk_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_LEAD_SERVICE_H_
