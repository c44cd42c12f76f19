using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Documents;

/// <summary>A check of a document that is under way: all who want the document wait for this one.</summary>
/// <param name="Place">Where it waits its turn.</param>
/// <param name="Answer">What came of it; begins when it is first looked at.</param>
internal sealed record DocumentCheck(SharedPlace Place, Lazy<Task<DocumentAnswer>> Answer);
