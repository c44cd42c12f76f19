using Breakwater.Proxy.Hits;

namespace Breakwater.Proxy.Tests.Hits;

public sealed class StoredAnswerTests
{
    /// <summary>Each keeps a lease of its own store.</summary>
    [Fact]
    public void Answers_OfObjectsAndOfSlices_AreUsedAgainForTheirOwnKind()
    {
        StoredAnswer ofSlices = StoredAnswer.TakeOfSlices();
        StoredAnswer ofObjects = StoredAnswer.Take();
        ofSlices.Return();
        ofObjects.Return();

        Assert.Same(ofObjects, StoredAnswer.Take());
        Assert.Same(ofSlices, StoredAnswer.TakeOfSlices());
    }
}
