/** The shape of recipe.json lives in `tensor/`, where those who reopen an export can read it too. */
export type {
  FileRecord,
  GroupRecord,
  LowRankRecipe,
  MergeRecipeFile,
  RecipeFile,
  SourceRecord,
  SparseRecipe,
  TaskRecord,
} from '@/recipe/recipe-file';
