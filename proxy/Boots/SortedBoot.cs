using System.Net;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>A boot of one VM to which a <see cref="BootSorter{TBoot}"/> assigns requests.</summary>
/// <param name="first">Its first request.</param>
/// <param name="mostObjects">Objects that are told apart.</param>
internal abstract class SortedBoot(in ObservedRequest first, int mostObjects)
{
    /// <summary>The repository that it boots.</summary>
    public Fqrn Repository { get; } = first.Repository;

    /// <summary>The VM's address; several VMs may share it.</summary>
    public IPAddress Client { get; } = first.Client;

    /// <summary>The connection that began it: nothing on it belongs to another boot.</summary>
    public string Owner { get; } = first.Connection;

    /// <summary>When its first request came, on the clock of the requests.</summary>
    public TimeSpan BeganAt { get; } = first.At;

    /// <summary>What it has asked for.</summary>
    public SeenObjects Seen { get; } = new(mostObjects);

    /// <summary>The sorter's: connections that are bound to it.</summary>
    internal List<string> Connections { get; } = [];

    /// <summary>The sorter's: its place among the boots; null once it has ended.</summary>
    internal LinkedListNode<SortedBoot>? Place { get; set; }

    /// <summary>The sorter's: memory of <see cref="Seen"/> that is accounted for.</summary>
    internal int CountedBytes { get; set; }
}
