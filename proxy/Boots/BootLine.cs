using System.Net;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>A boot as it stood when it was looked at; immutable. Times in milliseconds.</summary>
/// <param name="Id">Its number.</param>
/// <param name="StormId">The storm that it belongs to.</param>
/// <param name="Client">The VM's address.</param>
/// <param name="ClientText">The address as people read it.</param>
/// <param name="Repository">What it boots.</param>
/// <param name="StartedAt">The time of its first request.</param>
/// <param name="DurationMs">From its first request to its last answer.</param>
/// <param name="Requests">All of its requests.</param>
/// <param name="Objects">Those for objects.</param>
/// <param name="Refused">Those that were refused.</param>
/// <param name="Bytes">Body bytes that it got.</param>
/// <param name="State">Where it stands.</param>
internal sealed record BootLine(int Id, int StormId, IPAddress Client, string ClientText, Fqrn Repository, DateTimeOffset StartedAt,
    double DurationMs, int Requests, int Objects, int Refused, long Bytes, BootState State);
