using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Documents;

/// <summary>What the cache answers: a document and how it came, or why there is none.</summary>
internal readonly record struct DocumentAnswer(CachedDocument? Document, RequestResult Result, UpstreamFailure? Failure);
