using System.Net;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>What the recorder has to know of a request.</summary>
/// <param name="Repository">The repository asked.</param>
/// <param name="Object">The object asked for; null: the manifest.</param>
/// <param name="Client">The client's address; several VMs may share it.</param>
/// <param name="Connection">The connection; a VM may have up to 16.</param>
/// <param name="At">When, on a monotonic clock.</param>
internal readonly record struct ObservedRequest(Fqrn Repository, ObjectKey? Object, IPAddress Client, string Connection, TimeSpan At);
