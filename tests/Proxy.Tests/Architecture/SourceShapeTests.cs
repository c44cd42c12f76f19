using Breakwater.TestSupport;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>
/// What the compiler and <c>dotnet format whitespace</c> do not look at: one top-level type a file, lines of at most 140 columns, files of
/// at most 400 lines; and the two style rules that count here, which as analyzers of the build cost a third of it (ADR 0164).
/// </summary>
public class SourceShapeTests
{
    private static readonly string[] s_product = ["cachestore/", "proxy/", "repositories/"];

    private const int MaxColumns = 140, MaxLines = 400, MaxDependencies = 8;

    [Fact]
    public void Files_HoldOneTopLevelTypeEach()
    {
        string[] wrong = [.. Sources().Where(s => TypesOf(s.Root).Distinct().Count() > 1).Select(s => s.Path)];
        Assert.True(wrong.Length == 0, "More than one top-level type in: " + string.Join(", ", wrong));
    }

    [Fact]
    public void Lines_HaveAtMost140Columns()
    {
        string[] wrong = [.. Sources().SelectMany(LongLines)];
        Assert.True(wrong.Length == 0, "Too long:\n" + string.Join('\n', wrong));
    }

    [Fact]
    public void Files_HaveAtMost400Lines()
    {
        string[] wrong = [.. Sources().Where(s => s.Text.Lines.Count > MaxLines + 1).Select(s => s.Path)];
        Assert.True(wrong.Length == 0, "Split these: " + string.Join(", ", wrong));
    }

    [Fact]
    public void Constructors_TakeAtMostEightThings()
    {
        string[] wrong = [.. Sources().Where(s => s_product.Any(folder => s.Path.StartsWith(folder, StringComparison.Ordinal)))
            .Where(s => s.Root.DescendantNodes().OfType<ParameterListSyntax>().Any(IsOfTooLongConstructor)).Select(s => s.Path)];
        Assert.True(wrong.Length == 0, "Too many: " + string.Join(", ", wrong));
    }

    [Fact]
    public void Namespaces_AreOfTheWholeFile()
    {
        string[] wrong = [.. Sources().Where(s => s.Root.Members.Any(m => m is NamespaceDeclarationSyntax)).Select(s => s.Path)];
        Assert.True(wrong.Length == 0, "Write 'namespace X;' in: " + string.Join(", ", wrong));
    }

    [Fact]
    public void Members_SayWhoSeesThem()
    {
        string[] wrong = [.. Sources().SelectMany(s => MembersOf(s.Root).Where(LacksAccess)
            .Select(m => $"{s.Path}:{m.GetLocation().GetLineSpan().StartLinePosition.Line + 1}"))];
        Assert.True(wrong.Length == 0, "public, internal, protected, private or file is missing:\n" + string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("class A;", 1)]
    [InlineData("internal class A { int _a; void B() { } A() { } int C { get; } class D; }", 5)]
    [InlineData("internal class A : I { static A() { } ~A() { } int I.B => 1; void I.C() { } partial void D(); private int _e; }", 0)]
    [InlineData("internal interface I { int B { get; } }", 0)]
    [InlineData("internal enum E { A, B }", 0)]
    [InlineData("file struct S { protected internal int A; }", 0)]
    [InlineData("int a = 1; void B() { }", 0)]
    public void LacksAccess_IsAskedOfWhatCouldHaveOne(string text, int expected) =>
        Assert.Equal(expected, MembersOf(CSharpSyntaxTree.ParseText(text).GetRoot()).Count(LacksAccess));

    [Theory]
    [InlineData("class A;\nclass B;\n", 2)]
    [InlineData("namespace N;\nclass A;\npartial class A;\nfile class B;\n", 1)]
    public void TypesOf_AFile_AreItsTopLevelTypes(string text, int expected) =>
        Assert.Equal(expected, TypesOf(CSharpSyntaxTree.ParseText(text).GetCompilationUnitRoot()).Distinct().Count());

    [Theory]
    [InlineData("int {0} = 1;", 1)]
    [InlineData("string s = \"{0}\";", 1)]
    [InlineData("string s = \"\"\"{0}\"\"\";", 1)]
    [InlineData("string s = \"\"\"\n{0}\n\"\"\";", 0)]
    [InlineData("string s = $\"\"\"\n{0} {1}\n\"\"\";", 0)]
    [InlineData("// {0}", 1)]
    public void LongLines_AreFound_ButForTheTextOfRawLiterals(string template, int expected)
    {
        string text = template.Replace("{0}", new string('x', 150), StringComparison.Ordinal);
        CSharpSyntaxTree tree = (CSharpSyntaxTree)CSharpSyntaxTree.ParseText(text);
        Assert.Equal(expected, LongLines(new Source("a.cs", tree.GetCompilationUnitRoot(), tree.GetText())).Count());
    }

    private static IEnumerable<MemberDeclarationSyntax> MembersOf(SyntaxNode root) =>
        root.DescendantNodes().OfType<MemberDeclarationSyntax>();

    /// <summary>Could a modifier say who sees this member, and none does? (The compiler's own default has to be known.)</summary>
    private static bool LacksAccess(MemberDeclarationSyntax member) =>
        member.Parent is not InterfaceDeclarationSyntax && !IsExplicit(member) && CouldSayIt(member)
        && !member.Modifiers.Any(m => SyntaxFacts.IsAccessibilityModifier(m.Kind()) || m.IsKind(SyntaxKind.FileKeyword));

    private static bool IsExplicit(MemberDeclarationSyntax member) =>
        member.ChildNodes().OfType<ExplicitInterfaceSpecifierSyntax>().Any();

    private static bool CouldSayIt(MemberDeclarationSyntax member) =>
        member switch
        {
            BaseNamespaceDeclarationSyntax or GlobalStatementSyntax or EnumMemberDeclarationSyntax or DestructorDeclarationSyntax
                or ExtensionBlockDeclarationSyntax => false,
            ConstructorDeclarationSyntax => !member.Modifiers.Any(SyntaxKind.StaticKeyword),
            BaseTypeDeclarationSyntax or DelegateDeclarationSyntax => true,
            _ => !member.Modifiers.Any(SyntaxKind.PartialKeyword),
        };

    private static IEnumerable<string> TypesOf(CompilationUnitSyntax root) =>
        root.Members.SelectMany(m => m is BaseNamespaceDeclarationSyntax ns ? ns.Members : [m])
            .OfType<BaseTypeDeclarationSyntax>()
            .Where(t => !t.Modifiers.Any(SyntaxKind.FileKeyword))
            .Select(t => t.Identifier.Text);

    private static bool IsOfTooLongConstructor(ParameterListSyntax list) =>
        list.Parent is ConstructorDeclarationSyntax or ClassDeclarationSyntax && list.Parameters.Count > MaxDependencies;

    private static IEnumerable<string> LongLines(Source source) =>
        from line in source.Text.Lines
        where line.Span.Length > MaxColumns && !IsTextOfLiteral(source.Root, line.Span)
        select $"{source.Path}:{line.LineNumber + 1}";

    /// <summary>
    /// Is the whole line text of a literal that has several lines? A break there would be one in what the literal says. Other literals are
    /// broken by <c>+</c>.
    /// </summary>
    private static bool IsTextOfLiteral(CompilationUnitSyntax root, TextSpan line) =>
        root.DescendantNodes(line).Any(n => IsString(n) && n.SpanStart < line.Start && n.Span.End > line.End);

    private static bool IsString(SyntaxNode node) =>
        node is InterpolatedStringExpressionSyntax
        || node.IsKind(SyntaxKind.StringLiteralExpression) || node.IsKind(SyntaxKind.Utf8StringLiteralExpression);

    private static readonly Lazy<Source[]> s_sources = new(() =>
    [
        .. from path in Directory.EnumerateFiles(Checkout.Root, "*.cs", SearchOption.AllDirectories)
           let relative = Path.GetRelativePath(Checkout.Root, path).Replace('\\', '/')
           where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
           let tree = (CSharpSyntaxTree)CSharpSyntaxTree.ParseText(File.ReadAllText(path))
           select new Source(relative, tree.GetCompilationUnitRoot(), tree.GetText()),
    ]);

    private static Source[] Sources() => s_sources.Value;

    private sealed record Source(string Path, CompilationUnitSyntax Root, SourceText Text);
}
