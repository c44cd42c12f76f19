using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>What a publication did.</summary>
/// <param name="Manifest">What clients read now.</param>
/// <param name="IsNew">False: nothing had changed, the revision stays.</param>
/// <param name="Contents">What the revision holds.</param>
/// <param name="FilesRead">Files whose bytes were read.</param>
/// <param name="BytesRead">Their bytes.</param>
/// <param name="NewObjects">Objects that were not there before.</param>
/// <param name="NewBytes">Their bytes.</param>
/// <param name="Notes">What is not published as it is, a sentence each.</param>
internal sealed record PublishResult(
    Manifest Manifest,
    bool IsNew,
    CatalogCounters Contents,
    long FilesRead,
    long BytesRead,
    long NewObjects,
    long NewBytes,
    IReadOnlyList<string> Notes);
