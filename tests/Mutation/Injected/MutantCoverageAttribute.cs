using System.Reflection;
using Xunit.Sdk;

[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]

namespace Breakwater.Mutants;

/// <summary>
/// Tells <see cref="CacheStore.Mutant"/> which test runs. Written into the copy of the test projects, onto each class of tests.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class MutantCoverageAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest) =>
        CacheStore.Mutant.Enter(methodUnderTest.ReflectedType!.FullName + "." + methodUnderTest.Name);

    public override void After(MethodInfo methodUnderTest) => CacheStore.Mutant.Enter(null);
}
