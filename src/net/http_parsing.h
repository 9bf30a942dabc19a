#ifndef CALLBRIDGE_SRC_NET_HTTP_PARSING_H_
#define CALLBRIDGE_SRC_NET_HTTP_PARSING_H_

#include <cstddef>
#include <string>

#include "src/base/http_message.h"
#include "websocketpp/http/request.hpp"
#include "websocketpp/http/response.hpp"

namespace callbridge::net {

// A request as the library parses it, with what it loses or lets pass: headers in the order sent, and a refusal (by the
// exception that it expects of a parser) of what it would misread: bodies without a Content-Length, lengths that are no number,
// WebSocket versions before the RFC.
class RequestParser : public websocketpp::http::parser::request {
 public:
  size_t consume(const char* bytes, size_t size);

  const base::HttpHeaders& headers_as_sent() const { return headers_; }
  // Whether the answer goes out before the request was read to its end.
  bool refused() const { return refused_; }

 private:
  void CheckHead();

  std::string head_;  // Until it is complete.
  bool head_complete_ = false;
  bool refused_ = false;
  base::HttpHeaders headers_;
};

// An answer as the library writes it, and Connection: close: it serves one request per connection but does not say so.
class ResponseWriter : public websocketpp::http::parser::response {
 public:
  std::string raw() const;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_HTTP_PARSING_H_
