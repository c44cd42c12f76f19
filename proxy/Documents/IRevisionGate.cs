using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Decides when clients may see a new revision. Called once for each new pair, while the old one is still shown.
/// </summary>
internal interface IRevisionGate
{
    /// <summary>A repository has a manifest that names other objects: a new revision, or a tag was moved.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="before">The manifest that clients see.</param>
    /// <param name="after">The new one, accepted.</param>
    /// <returns>Null: show it at once. Else: show it when the task is complete, at the latest after <see cref="MaxHold"/>.</returns>
    Task? Prepare(RepositoryRoute repository, Manifest before, Manifest after);

    /// <summary>The longest time for which a new revision is held back.</summary>
    TimeSpan MaxHold { get; }
}
